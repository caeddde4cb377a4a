// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Serving;

/// <summary>Ends a call with a status; the message is for the caller.</summary>
public sealed class GrpcRefusalException : Exception
{
    public GrpcRefusalException()
    {
    }

    public GrpcRefusalException(string message)
        : base(message)
    {
    }

    public GrpcRefusalException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public GrpcRefusalException(GrpcStatusCode code, string message)
        : base(message)
    {
        Code = code;
    }

    public GrpcStatusCode Code { get; } = GrpcStatusCode.Internal;
}

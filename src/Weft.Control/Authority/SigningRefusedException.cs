// SPDX-License-Identifier: Apache-2.0

namespace Weft.Control.Authority;

/// <summary>A signing request that cannot be granted; the message is for the caller.</summary>
public sealed class SigningRefusedException : Exception
{
    public SigningRefusedException()
    {
    }

    public SigningRefusedException(string message)
        : base(message)
    {
    }

    public SigningRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

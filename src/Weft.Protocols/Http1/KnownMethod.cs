// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>Methods with a meaning for forwarding; names are case-sensitive (RFC 9110 9.1).</summary>
public enum KnownMethod : byte
{
    Other,
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
}

/// <summary>Recognises methods.</summary>
public static class KnownMethods
{
    public static KnownMethod Classify(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) ? KnownMethod.Get
            : method.SequenceEqual("PUT"u8) ? KnownMethod.Put : KnownMethod.Other,
        4 => method.SequenceEqual("POST"u8) ? KnownMethod.Post
            : method.SequenceEqual("HEAD"u8) ? KnownMethod.Head : KnownMethod.Other,
        5 => method.SequenceEqual("PATCH"u8) ? KnownMethod.Patch
            : method.SequenceEqual("TRACE"u8) ? KnownMethod.Trace : KnownMethod.Other,
        6 => method.SequenceEqual("DELETE"u8) ? KnownMethod.Delete : KnownMethod.Other,
        7 => method.SequenceEqual("OPTIONS"u8) ? KnownMethod.Options
            : method.SequenceEqual("CONNECT"u8) ? KnownMethod.Connect : KnownMethod.Other,
        _ => KnownMethod.Other,
    };

    /// <summary>Sending it twice does no more than sending it once (RFC 9110 9.2.2).</summary>
    public static bool IsIdempotent(this KnownMethod method) => method is KnownMethod.Get or KnownMethod.Head
        or KnownMethod.Put or KnownMethod.Delete or KnownMethod.Options or KnownMethod.Trace;
}

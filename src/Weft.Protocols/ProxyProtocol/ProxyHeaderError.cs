// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.ProxyProtocol;

/// <summary>Why a PROXY protocol header is refused.</summary>
public enum ProxyHeaderError
{
    None,

    /// <summary>Version 1: no CRLF within <see cref="ProxyHeaderReader.MaxLineBytes"/>.</summary>
    LineTooLong,

    /// <summary>Version 1: not the one form that the specification allows.</summary>
    BadLine,

    /// <summary>The binary signature, but not version 2.</summary>
    BadVersion,

    /// <summary>Neither LOCAL nor PROXY.</summary>
    BadCommand,

    /// <summary>An address family or transport that cannot be this connection's.</summary>
    BadFamily,

    /// <summary>Shorter than its family's addresses.</summary>
    TooShort,

    /// <summary>Longer than <see cref="ProxyHeaderReader.MaxBodyBytes"/>.</summary>
    TooLong,

    /// <summary>A TLV that goes beyond the header's end.</summary>
    BadTlv,

    /// <summary>The header carries a checksum that is not its own.</summary>
    BadChecksum,
}

/// <summary>How far reading a header came.</summary>
public enum ProxyHeaderStatus
{
    /// <summary>What is there may become a header.</summary>
    NeedMore,

    /// <summary>Read.</summary>
    Done,

    /// <summary>The bytes are not a header's.</summary>
    Absent,

    /// <summary>It began as a header and is not one.</summary>
    Refused,
}

/// <summary>Words for the log.</summary>
public static class ProxyHeaderErrors
{
    /// <summary>One clause without a full stop.</summary>
    public static string Describe(ProxyHeaderError error) => error switch
    {
        ProxyHeaderError.LineTooLong => "the PROXY line is longer than 107 bytes",
        ProxyHeaderError.BadLine => "the PROXY line is malformed",
        ProxyHeaderError.BadVersion => "the PROXY header is of an unknown version",
        ProxyHeaderError.BadCommand => "the PROXY header's command is neither LOCAL nor PROXY",
        ProxyHeaderError.BadFamily => "the PROXY header's address family is not of a stream over IPv4, IPv6 or a Unix socket",
        ProxyHeaderError.TooShort => "the PROXY header is shorter than its addresses",
        ProxyHeaderError.TooLong => "the PROXY header is longer than 4096 bytes",
        ProxyHeaderError.BadTlv => "a TLV of the PROXY header goes beyond its end",
        ProxyHeaderError.BadChecksum => "the PROXY header's checksum is wrong",
        _ => "",
    };
}

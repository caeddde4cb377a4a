// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>One header field: where its name and its value (without white space around it) stand, and what it is.</summary>
public readonly record struct HeaderField(TextRange Name, TextRange Value, KnownHeader Known, FieldTraits Traits)
{
    /// <summary>True if the field is for this connection only and must not be forwarded (RFC 9110 7.6.1).</summary>
    public bool IsHopByHop => (Traits & FieldTraits.HopByHop) != FieldTraits.None;

    /// <summary>The whole line with its CR LF begins at the name; forwarders may copy runs of lines between these two.</summary>
    public int LineStart => Name.Start;
}

/// <summary>What a forwarder must know of a field.</summary>
[Flags]
public enum FieldTraits : byte
{
    None = 0,

    /// <summary>Connection-specific by its name, or because Connection names it.</summary>
    HopByHop = 1,

    /// <summary>No part of the message that goes on: Connection names it, or nobody believes it.</summary>
    Hidden = 2,

    /// <summary>HTTP/2: the sender wants nobody on the way to remember the value (RFC 7541 section 7.1.3).</summary>
    NeverIndexed = 4,
}

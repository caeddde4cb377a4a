// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>What is known of a body before it comes. How it is framed on the wire is the business of each side's connection.</summary>
internal enum BodyKind : byte
{
    None,

    /// <summary>The head's content-length says how long it is.</summary>
    Sized,

    /// <summary>It ends when its sender says so, perhaps with trailers.</summary>
    Open,

    /// <summary>Bytes of another protocol both ways (an upgrade, CONNECT).</summary>
    Tunnel,
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Overload;

/// <summary>What is given up, in this order, so that what was begun goes on. Each level includes those before it.</summary>
internal enum OverloadLevel
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Connections that are kept for later: answers carry <c>connection: close</c>.</summary>
    KeepAlive,

    /// <summary>New work: connections wait in the kernel's queue, requests are answered 503 (flag OM).</summary>
    NewWork,

    /// <summary>Idle connections: they are closed.</summary>
    IdleConnections,
}

/// <summary>
/// The level of the proxy's work (memory, delay of loops), and that of its descriptors. Few descriptors are no reason to refuse a request:
/// only what would take another one waits, and who holds one without need gives it back.
/// </summary>
internal readonly record struct OverloadLevels(OverloadLevel Work, OverloadLevel Descriptors)
{
    internal OverloadLevel Highest => Work > Descriptors ? Work : Descriptors;
}

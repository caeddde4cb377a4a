// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Protocols.ProxyProtocol;

/// <summary>
/// What a PROXY protocol header tells of a connection: its client and where that wanted to go. Without addresses (LOCAL, UNKNOWN, UNSPEC or a
/// Unix socket's) the connection's own stand.
/// </summary>
/// <param name="HasAddresses">False where the header names nobody; the addresses are then without meaning.</param>
/// <param name="Source">The client.</param>
/// <param name="Destination">Where the client connected to.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ProxyHeader(bool HasAddresses, ProxyAddress Source, ProxyAddress Destination)
{
    /// <summary>A header that names nobody.</summary>
    public static ProxyHeader Unknown => default;

    /// <summary>A header that names both ends.</summary>
    public static ProxyHeader Of(ProxyAddress source, ProxyAddress destination) => new(true, source, destination);
}

/// <summary>An IP address, version 4 in its mapped form (::ffff:0:0/96), and a port.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ProxyAddress(UInt128 Bits, ushort Port)
{
    private const uint MappedPrefix = 0xFFFF;

    /// <summary>True for a version 4 address.</summary>
    public bool IsV4 => (Bits >> 32) == MappedPrefix;

    /// <summary>The address's 32 bits, if it is version 4.</summary>
    public uint V4Bits => (uint)Bits;

    /// <summary>A version 4 address of its 32 bits in host order.</summary>
    public static ProxyAddress V4(uint bits, ushort port) => new(((UInt128)MappedPrefix << 32) | bits, port);
}

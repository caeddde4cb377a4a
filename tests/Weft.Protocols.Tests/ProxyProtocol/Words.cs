// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using Weft.Protocols.ProxyProtocol;

namespace Weft.Protocols.Tests.ProxyProtocol;

/// <summary>What a reader says about bytes, as one text.</summary>
internal static class Words
{
    internal static string Read(ReadOnlySpan<byte> bytes) => ProxyHeaderReader.TryRead(bytes, out var header, out _, out var error) switch
    {
        ProxyHeaderStatus.NeedMore => "more",
        ProxyHeaderStatus.Absent => "absent",
        ProxyHeaderStatus.Refused => error.ToString(),
        _ => Of(header),
    };

    internal static string Of(ProxyHeader header) =>
        header.HasAddresses ? $"{Of(header.Source)} > {Of(header.Destination)}" : "nobody";

    private static string Of(ProxyAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, address.Bits);
        return $"{new IPAddress(address.IsV4 ? bytes[12..] : bytes)}:{address.Port}";
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Http1;

/// <summary>
/// Tells a WebSocket handshake (RFC 6455 4.2.1), the one upgrade that is taken, from other requests that name a protocol. Those are
/// forwarded without it: a tunnel to a server that did not mean to open one carries requests past every policy (h2c smuggling).
/// </summary>
internal static class WebSocketHandshake
{
    /// <summary>16 bytes in base64.</summary>
    private const int KeyLength = 24;

    /// <summary>Refuses a handshake without a right key and version; anything else that is no handshake is merely not accepted.</summary>
    internal static Http1Error Check(ReadOnlySpan<byte> buffer, RequestHead head, Http1Rules rules, out bool accepted)
    {
        accepted = head.Method == KnownMethod.Get && head.Framing == BodyFraming.None
            && head.TryGet(KnownHeader.Upgrade, buffer, out var protocol) && Ascii.EqualsIgnoreCase(protocol, "websocket"u8)
            && head.IndexOf("upgrade"u8, buffer, head.FirstIndex(KnownHeader.Upgrade) + 1) < 0;
        if (!accepted || !rules.RequireWebSocketKey)
        {
            return Http1Error.None;
        }

        accepted = TryGetOnly(buffer, head, "sec-websocket-version"u8, out var version) && version.SequenceEqual("13"u8)
            && TryGetOnly(buffer, head, "sec-websocket-key"u8, out var key) && IsKey(key);
        return accepted ? Http1Error.None : Http1Error.UpgradeInvalid;
    }

    private static bool TryGetOnly(ReadOnlySpan<byte> buffer, RequestHead head, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var index = head.IndexOf(name, buffer);
        value = index < 0 ? default : head.Fields[index].Value.Of(buffer);
        return index >= 0 && head.IndexOf(name, buffer, index + 1) < 0;
    }

    private static bool IsKey(ReadOnlySpan<byte> key) =>
        key.Length == KeyLength && key.EndsWith("=="u8) && !key[..^2].ContainsAnyExcept(Octets.Base64);
}

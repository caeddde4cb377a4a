// SPDX-License-Identifier: Apache-2.0

using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Weft.Local.Serving;

namespace Weft.Local.Streams;

/// <summary>Answers requests that ask for another protocol: WebSocket, SPDY, or the node's own frames.</summary>
internal static class Upgrading
{
    public const string OwnFrames = "weft-exec";

    private const string Spdy = "SPDY/3.1";
    private const string PortForward = "portforward.k8s.io";
    private const string TunnelledPortForward = $"{Spdy}+{PortForward}";
    private const string WebSocketSecret = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>kubectl asks every 5 s by itself; this finds clients that do not.</summary>
    private static readonly TimeSpan _keepAlive = TimeSpan.FromSeconds(30);

    private static readonly string[] _execProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
    private static readonly string[] _spdyExecProtocols = ["v4.channel.k8s.io", "v3.channel.k8s.io"];

    /// <summary>Agrees to what an exec or attach request asks for; throws <see cref="FormatException"/> when it asks for nothing known.</summary>
    /// <param name="terminal">Whether the command has one: it has no stream of errors then.</param>
    public static async Task<ExecWire> ForCommandAsync(NodeRequest request, Stream stream, bool terminal, CancellationToken ct)
    {
        switch (request.Upgrade)
        {
            case OwnFrames:
                await AcceptAsync(stream, OwnFrames, "", ct);
                return new FrameWire(stream);
            case var name when name.Equals("websocket", StringComparison.OrdinalIgnoreCase):
                return new WebSocketWire(await AcceptWebSocketAsync(request, stream, _execProtocols, ct));
            case var name when name.Equals(Spdy, StringComparison.OrdinalIgnoreCase):
                var version = Choose(request.Header("X-Stream-Protocol-Version"), _spdyExecProtocols);
                await AcceptAsync(stream, Spdy, $"X-Stream-Protocol-Version: {version}\r\n", ct);
                return await SpdyWire.OpenAsync(stream, Streams(request, terminal), ct);
            default:
                throw new FormatException($"Upgrade request required: 'websocket', '{Spdy}' or '{OwnFrames}', not '{request.Upgrade}'.");
        }
    }

    /// <summary>The same for a port-forward request.</summary>
    public static async Task<SpdyConnection> ForPortsAsync(NodeRequest request, Stream stream, CancellationToken ct)
    {
        if (request.Upgrade.Equals("websocket", StringComparison.OrdinalIgnoreCase))
        {
            return new SpdyConnection(new WebSocketBytes(await AcceptWebSocketAsync(request, stream, [TunnelledPortForward], ct)));
        }

        if (!request.Upgrade.Equals(Spdy, StringComparison.OrdinalIgnoreCase))
        {
            throw new FormatException($"Upgrade request required: 'websocket' or '{Spdy}', not '{request.Upgrade}'.");
        }

        var version = Choose(request.Header("X-Stream-Protocol-Version"), [PortForward]);
        await AcceptAsync(stream, Spdy, $"X-Stream-Protocol-Version: {version}\r\n", ct);
        return new SpdyConnection(stream);
    }

    private static async Task<WebSocket> AcceptWebSocketAsync(
        NodeRequest request, Stream stream, IReadOnlyList<string> known, CancellationToken ct)
    {
        var key = request.Header("Sec-WebSocket-Key");
        if (key.Length == 0 || request.Header("Sec-WebSocket-Version") != "13")
        {
            throw new FormatException("A WebSocket request has no Sec-WebSocket-Key, or is not of version 13.");
        }

        var protocol = Choose(request.Header("Sec-WebSocket-Protocol"), known);
#pragma warning disable CA5350 // RFC 6455 wants SHA-1 here; it protects nothing.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + WebSocketSecret)));
#pragma warning restore CA5350
        await AcceptAsync(stream, "websocket", $"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n", ct);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = _keepAlive });
    }

    private static async Task AcceptAsync(Stream stream, string protocol, string more, CancellationToken ct) =>
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{more}\r\n"), ct);

    /// <summary>The first of the client's protocols that this side knows.</summary>
    private static string Choose(string offered, IReadOnlyList<string> known)
    {
        var names = offered.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.FirstOrDefault(known.Contains)
            ?? throw new FormatException($"None of the protocols '{offered}' is known here; these are: {string.Join(", ", known)}.");
    }

    private static List<string> Streams(NodeRequest request, bool terminal)
    {
        List<string> expected = ["error"];
        expected.AddRange(((string[])["stdin", "stdout"]).Where(request.Flag));
        expected.AddRange(request.Flag("stderr") && !terminal ? ["stderr"] : []);
        expected.AddRange(terminal ? ["resize"] : []);
        return expected;
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Sample.Http;

/// <summary>Makes HTTP/1.1 requests over connections that it keeps for the next one.</summary>
internal sealed class CallPool(bool reuse) : IDisposable
{
    public const int MaxIdlePerHost = 64;

    private readonly ConcurrentDictionary<string, ConcurrentStack<Line>> _idle = new(StringComparer.Ordinal);

    /// <summary>Asks once; a kept connection that turns out to be closed is replaced by a new one.</summary>
    public async Task<Message> AskAsync(Call call, CancellationToken ct)
    {
        var key = call.Url.Authority;
        var bytes = Encode(call);
        while (reuse && _idle.TryGetValue(key, out var stack) && stack.TryPop(out var kept))
        {
            try
            {
                return await ExchangeAsync(kept, call, bytes, ct);
            }
            catch (Exception closed) when (closed is IOException or SocketException && !ct.IsCancellationRequested)
            {
                // Closed while it was idle. The next one may be too; a fresh one tells the truth.
            }
        }

        return await ExchangeAsync(await OpenAsync(call.Url, ct), call, bytes, ct);
    }

    public void Dispose()
    {
        foreach (var stack in _idle.Values)
        {
            while (stack.TryPop(out var line))
            {
                line.Socket.Dispose();
            }
        }
    }

    /// <summary>Tries the host's addresses in turn.</summary>
    private static async Task<Line> OpenAsync(Uri url, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(url.IdnHost, ct);
        for (var i = 0; ; i++)
        {
            if (addresses.Length == 0)
            {
                throw new SocketException((int)SocketError.HostNotFound);
            }

            // One address family: a socket for both would hide the address that capture sees.
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(addresses[i], url.Port, ct);
                return new Line(socket, new MessageReader(socket));
            }
            catch (SocketException) when (i + 1 < addresses.Length)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private async Task<Message> ExchangeAsync(Line line, Call call, byte[] bytes, CancellationToken ct)
    {
        var keep = false;
        try
        {
            var rest = bytes.AsMemory();
            while (rest.Length > 0)
            {
                rest = rest[await line.Socket.SendAsync(rest, ct)..];
            }

            var answer = await line.Reader.ReadResponseAsync(call.Method == "HEAD", ct);
            keep = reuse && answer.KeepAlive;
            return answer;
        }
        finally
        {
            var stack = _idle.GetOrAdd(call.Url.Authority, _ => new());
            if (keep && stack.Count < MaxIdlePerHost)
            {
                stack.Push(line);
            }
            else
            {
                line.Socket.Dispose();
            }
        }
    }

    private static byte[] Encode(Call call)
    {
        var head = new StringBuilder(256)
            .Append(call.Method).Append(' ').Append(call.Url.PathAndQuery).Append(" HTTP/1.1\r\n");
        var hasHost = false;
        var hasAgent = false;
        foreach (var (name, value) in call.Headers)
        {
            hasHost |= name.Equals("host", StringComparison.OrdinalIgnoreCase);
            hasAgent |= name.Equals("user-agent", StringComparison.OrdinalIgnoreCase);
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        if (!hasHost)
        {
            head.Append("host: ").Append(call.Url.Authority).Append("\r\n");
        }

        if (!hasAgent)
        {
            head.Append("user-agent: weft-sample\r\n");
        }

        if (call.Body.Length > 0 || call.Method is "POST" or "PUT" or "PATCH")
        {
            head.Append(CultureInfo.InvariantCulture, $"content-length: {call.Body.Length}\r\n");
        }

        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. call.Body];
    }

    private sealed record Line(Socket Socket, MessageReader Reader);
}

/// <summary>A request to make.</summary>
internal sealed record Call(Uri Url, string Method, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    public static Call Get(Uri url, IReadOnlyList<KeyValuePair<string, string>> headers) => new(url, "GET", headers, []);

    public static Uri ParseUrl(string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var url) && url.Scheme == "http"
            ? url
            : throw new UsageException($"'{text}' is not an address. Write http://HOST[:PORT][/PATH]; the mesh does the encryption.");
}

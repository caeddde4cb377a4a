// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Nodes;

/// <summary>
/// Repeats an Upgrade request at the node agent and, when it agrees, joins the two byte streams. It knows nothing of what
/// is spoken afterwards (WebSocket or SPDY).
/// </summary>
internal sealed class UpgradeRelay(HttpContext context, Func<CancellationToken, Task<Stream>> connect) : IAsyncDisposable
{
    private static readonly string[] _forwarded =
    [
        "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
        "X-Stream-Protocol-Version",
    ];

    private Stream? _node;

    public async Task RunAsync(string pathAndQuery)
    {
        var feature = context.Features.Get<IHttpUpgradeFeature>();
        if (feature is not { IsUpgradableRequest: true })
        {
            throw ApiException.BadRequest("Upgrade request required");
        }

        try
        {
            _node = await connect(context.RequestAborted);
        }
        catch (Exception problem) when (problem is SocketException or IOException)
        {
            throw new ApiException(500, "InternalError", $"the node agent cannot be reached: {problem.Message}");
        }

        await _node.WriteAsync(Encoding.ASCII.GetBytes(Head(pathAndQuery)), context.RequestAborted);
        var (status, headers, rest) = await ReadHeadAsync();
        if (status != 101)
        {
            await RefuseAsync(status, headers, rest);
            return;
        }

        foreach (var (name, value) in headers)
        {
            if (_forwarded.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith("Sec-WebSocket", StringComparison.OrdinalIgnoreCase))
            {
                context.Response.Headers.Append(name, value);
            }
        }

        await using var client = await feature.UpgradeAsync();
        await client.WriteAsync(rest, context.RequestAborted);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var up = CopyAsync(client, _node, ending.Token);
        var down = CopyAsync(_node, client, ending.Token);
        await Task.WhenAny(up, down);
        if (up.IsCompleted && !down.IsCompleted)
        {
            await Task.WhenAny(down, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, context.RequestAborted));
        }

        await ending.CancelAsync();
    }

    /// <summary>The agent's own words, as plain text: kubectl shows them behind "unable to upgrade connection".</summary>
    private async Task RefuseAsync(int status, List<(string Name, string Value)> headers, byte[] begun)
    {
        var length = headers.Find(header => header.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)).Value;
        var body = new byte[Math.Clamp(int.TryParse(length, CultureInfo.InvariantCulture, out var bytes) ? bytes : begun.Length, 0, ApiLimits.UpgradeHeadBytes)];
        var filled = Math.Min(begun.Length, body.Length);
        begun.AsSpan(0, filled).CopyTo(body);
        filled += await _node!.ReadAtLeastAsync(body.AsMemory(filled), body.Length - filled, throwOnEndOfStream: false, context.RequestAborted);
        var text = Encoding.UTF8.GetString(body, 0, filled).Trim();
        context.Response.StatusCode = status is >= 400 and < 600 ? status : 500;
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(text.Length == 0 ? "the node agent refused" : text, context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }
    }

    private string Head(string pathAndQuery)
    {
        var head = new StringBuilder();
        head.Append(context.Request.Method).Append(' ').Append(pathAndQuery).Append(" HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\n");
        foreach (var name in _forwarded)
        {
            foreach (var value in context.Request.Headers[name])
            {
                head.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        return head.Append("\r\n").ToString();
    }

    private async Task<(int Status, List<(string Name, string Value)> Headers, byte[] Remainder)> ReadHeadAsync()
    {
        var buffer = new byte[ApiLimits.UpgradeHeadBytes];
        var filled = 0;
        while (true)
        {
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var lines = Encoding.ASCII.GetString(buffer, 0, end).Split("\r\n");
                var words = lines[0].Split(' ');
                var status = words.Length > 1 && int.TryParse(words[1], CultureInfo.InvariantCulture, out var code) ? code : 500;
                var headers = lines.Skip(1).Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2)
                    .Select(pair => (pair[0].Trim(), pair[1].Trim())).ToList();
                return (status, headers, buffer[(end + 4)..filled]);
            }

            if (filled == buffer.Length)
            {
                throw new ApiException(500, "InternalError", $"the node agent's answer has a head of more than {filled} bytes");
            }

            var count = await _node!.ReadAsync(buffer.AsMemory(filled), context.RequestAborted);
            if (count == 0)
            {
                throw new ApiException(500, "InternalError", "the node agent closed the connection");
            }

            filled += count;
        }
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Either end may go at any time; the other is closed then.
        }
    }
}

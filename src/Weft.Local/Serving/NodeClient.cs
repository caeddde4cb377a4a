// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Local.Serving;

/// <summary>The client's side of the node's socket, for the command line.</summary>
public sealed class NodeClient(string socketPath)
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>What <c>GET /status</c> says.</summary>
    public async Task<JsonObject> StatusAsync(CancellationToken ct)
    {
        await using var stream = await ConnectAsync(ct);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /status HTTP/1.1\r\nHost: node\r\n\r\n"), ct);
        var code = await ReadHeadAsync(stream, ct);
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync(ct);
        return code == 200 && JsonNode.Parse(text) is JsonObject status ? status : throw new NodeRefusedException(text);
    }

    /// <summary>Stops a node as when its power fails, or starts it again.</summary>
    public async Task SwitchNodeAsync(string node, bool stop, CancellationToken ct)
    {
        await using var stream = await ConnectAsync(ct);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /nodes/{Uri.EscapeDataString(node)}/{(stop ? "stop" : "start")} HTTP/1.1\r\nHost: node\r\n\r\n"), ct);
        if (await ReadHeadAsync(stream, ct) != 200)
        {
            using var reader = new StreamReader(stream);
            throw new NodeRefusedException(await reader.ReadToEndAsync(ct));
        }
    }

    /// <summary>Runs a command in a container, carries its streams, and returns its exit code.</summary>
    /// <param name="input">Null gives the command no input.</param>
    /// <param name="size">With a terminal: its columns and rows now and at every change; null for no terminal.</param>
    public async Task<int> ExecAsync(
        ExecTarget target, IReadOnlyList<string> command, Stream? input, Stream output, Stream errors, TerminalSize? size, CancellationToken ct)
    {
        await using var stream = await ConnectAsync(ct);
        var query = string.Join('&', command.Select(word => $"command={Uri.EscapeDataString(word)}"));
        var container = target.Container is null ? "" : $"/{Uri.EscapeDataString(target.Container)}";
        var path = $"/exec/{Uri.EscapeDataString(target.Namespace)}/{Uri.EscapeDataString(target.Pod)}{container}"
            + $"?{query}&stdin={(input is null ? "false" : "true")}&tty={(size is null ? "false" : $"true&columns={size.Columns}&rows={size.Rows}")}";
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: weft-exec\r\n\r\n"), ct);
        var code = await ReadHeadAsync(stream, ct);
        if (code != 101)
        {
            using var reader = new StreamReader(stream);
            throw new NodeRefusedException(await reader.ReadToEndAsync(ct));
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var writing = new SemaphoreSlim(1, 1);
        if (size is not null)
        {
            size.Changed = (columns, rows) => _ = TrySendSizeAsync(stream, writing, columns, rows, ending.Token);
        }

        if (input is not null)
        {
            _ = SendInputAsync(input, stream, writing, ending.Token);
        }

        var exit = await ReceiveAsync(stream, output, errors, ct);
        await ending.CancelAsync();
        return exit;
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new NodeRefusedException($"The mesh is not running: nobody answers at {socketPath} ({e.Message}). Start it: weft up");
        }
    }

    /// <summary>Reads the head byte by byte, so that nothing of what follows is swallowed.</summary>
    private static async Task<int> ReadHeadAsync(NetworkStream stream, CancellationToken ct)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (head.Length > NodeRequest.MaxHeadBytes || await stream.ReadAsync(one, ct) == 0)
            {
                throw new NodeRefusedException("The node closed the connection without an answer; its log says why.");
            }

            head.Append((char)one[0]);
        }

        var words = head.ToString().Split(' ');
        return words.Length > 1 && int.TryParse(words[1], CultureInfo.InvariantCulture, out var code) ? code : 0;
    }

    private static async Task<int> ReceiveAsync(NetworkStream stream, Stream output, Stream errors, CancellationToken ct)
    {
        while (await ExecFrames.ReadAsync(stream, ct) is var (channel, bytes))
        {
            switch (channel)
            {
                case ExecChannel.Output:
                    await output.WriteAsync(bytes, ct);
                    await output.FlushAsync(ct);
                    break;
                case ExecChannel.Errors:
                    await errors.WriteAsync(bytes, ct);
                    await errors.FlushAsync(ct);
                    break;
                case ExecChannel.ExitCode when bytes.Length == 4:
                    return BinaryPrimitives.ReadInt32BigEndian(bytes);
                default:
                    throw new FormatException($"The node sent channel {channel}, which is not for clients.");
            }
        }

        throw new NodeRefusedException("The node closed the connection before the command's end.");
    }

    private static async Task SendInputAsync(Stream input, NetworkStream stream, SemaphoreSlim writing, CancellationToken ct)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            int count;
            do
            {
                count = await input.ReadAsync(buffer, ct);
                await SendAsync(stream, writing, ExecChannel.Input, buffer.AsMemory(0, count), ct);
            }
            while (count > 0);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The command has ended first.
        }
    }

    private static async Task TrySendSizeAsync(NetworkStream stream, SemaphoreSlim writing, int columns, int rows, CancellationToken ct)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)columns);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)rows);
        try
        {
            await SendAsync(stream, writing, ExecChannel.Resize, bytes, ct);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The command has ended in this moment.
        }
    }

    private static async Task SendAsync(
        NetworkStream stream, SemaphoreSlim writing, ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        await writing.WaitAsync(ct);
        try
        {
            await ExecFrames.WriteAsync(stream, channel, bytes, ct);
        }
        finally
        {
            writing.Release();
        }
    }
}

/// <summary>Where a command runs; a container of null is the one that kubectl would choose.</summary>
public sealed record ExecTarget(string Namespace, string Pod, string? Container);

/// <summary>The size of the caller's terminal.</summary>
public sealed class TerminalSize(int columns, int rows)
{
    public int Columns { get; private set; } = columns;

    public int Rows { get; private set; } = rows;

    internal Action<int, int>? Changed { get; set; }

    /// <summary>Passes a new size on to the command.</summary>
    public void Resize(int columns, int rows)
    {
        (Columns, Rows) = (columns, rows);
        Changed?.Invoke(columns, rows);
    }
}

/// <summary>The node said no, or nothing; the message says why.</summary>
public sealed class NodeRefusedException(string message) : Exception(message);

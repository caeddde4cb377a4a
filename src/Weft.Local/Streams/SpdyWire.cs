// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Weft.Local.Serving;

namespace Weft.Local.Streams;

/// <summary>A command's streams as streams of a SPDY connection, for clients that do not want WebSockets.</summary>
internal sealed class SpdyWire : ExecWire
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly SpdyConnection _connection;
    private readonly CancellationTokenSource _ending;
    private readonly Dictionary<string, SpdyStream> _streams = new(StringComparer.Ordinal);
    private readonly Channel<(ExecChannel Channel, byte[] Bytes)> _incoming = Channel.CreateBounded<(ExecChannel Channel, byte[] Bytes)>(16);
    private Task _running = Task.CompletedTask;

    private SpdyWire(SpdyConnection connection, CancellationToken ct)
    {
        _connection = connection;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
    }

    /// <summary>Waits for the streams that the request announced.</summary>
    public static async Task<SpdyWire> OpenAsync(Stream transport, IReadOnlyList<string> expected, CancellationToken ct)
    {
        var wire = new SpdyWire(new SpdyConnection(transport), ct);
        try
        {
            await wire.BeginAsync(expected);
            return wire;
        }
        catch
        {
            await wire.DisposeAsync();
            throw;
        }
    }

    public override async Task<(ExecChannel Channel, byte[] Bytes)?> ReadAsync(CancellationToken ct)
    {
        while (await _incoming.Reader.WaitToReadAsync(ct))
        {
            if (_incoming.Reader.TryRead(out var next))
            {
                return next;
            }
        }

        return null;
    }

    public override Task WriteAsync(ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct) =>
        _streams.TryGetValue(channel == ExecChannel.Errors ? "stderr" : "stdout", out var stream)
            ? stream.WriteAsync(bytes, ct)
            : Task.CompletedTask;

    public override async Task EndAsync(int exitCode, string problem, CancellationToken ct)
    {
        await _streams["error"].WriteAsync(Status(exitCode, problem), ct);
        foreach (var name in (string[])["stdout", "stderr", "error"])
        {
            if (_streams.TryGetValue(name, out var stream))
            {
                await stream.CloseAsync(ct);
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _connection.DisposeAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
        await base.DisposeAsync();
    }

    private async Task BeginAsync(IReadOnlyList<string> expected)
    {
        var reading = _connection.RunAsync(_ending.Token);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        limit.CancelAfter(_patience);
        try
        {
            while (!expected.All(_streams.ContainsKey))
            {
                var stream = await _connection.Opened.ReadAsync(limit.Token);
                _streams[stream.Headers.GetValueOrDefault("streamtype") ?? ""] = stream;
            }
        }
        catch (ChannelClosedException e)
        {
            throw new FormatException("The client was gone before it had opened its streams.", e);
        }
        catch (OperationCanceledException e) when (!_ending.IsCancellationRequested)
        {
            throw new FormatException($"The client did not open its streams ({string.Join(", ", expected)}) in {_patience.TotalSeconds:0} s.", e);
        }

        _running = Task.WhenAll(WatchAsync(reading), CopyAsync("stdin", ExecChannel.Input), CopyAsync("resize", ExecChannel.Resize));
    }

    /// <summary>The connection's end is the end of what the client says.</summary>
    private async Task WatchAsync(Task reading)
    {
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _incoming.Writer.TryComplete();
    }

    private async Task CopyAsync(string name, ExecChannel channel)
    {
        if (!_streams.TryGetValue(name, out var stream))
        {
            return;
        }

        try
        {
            while (await stream.ReadAsync(_ending.Token) is { } bytes)
            {
                if (channel == ExecChannel.Input || Size(bytes) is not null)
                {
                    await _incoming.Writer.WriteAsync((channel, channel == ExecChannel.Input ? bytes : Size(bytes)!), _ending.Token);
                }
            }

            if (channel == ExecChannel.Input)
            {
                await _incoming.Writer.WriteAsync((channel, []), _ending.Token);
            }
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            // The command has ended, or the client.
        }
    }
}

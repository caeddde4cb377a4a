// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Diagnostics;
using Weft.Local.Agent;
using Weft.Local.Streams;

namespace Weft.Local.Serving;

/// <summary>A command in a container and the wire that carries its input, output and exit code.</summary>
internal sealed class ExecSession : IDisposable
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>How long output may still come after the command's end: a child of it can hold the pipe open for ever.</summary>
    private static readonly TimeSpan _tail = TimeSpan.FromMilliseconds(500);

    private readonly ContainerSnapshot _container;
    private readonly Process _process;
    private readonly Terminal? _terminal;

    private ExecSession(ContainerSnapshot container, Process process, Terminal? terminal)
    {
        _container = container;
        _process = process;
        _terminal = terminal;
    }

    /// <summary>Starts the command; throws <see cref="InvalidOperationException"/> when the container does not run.</summary>
    /// <param name="terminal">Owned by the session from now on; null for none.</param>
    public static ExecSession Start(ContainerSnapshot container, IReadOnlyList<string> words, bool input, Terminal? terminal)
    {
        try
        {
            var process = Process.Start(ContainerCommand.Prepare(container, words, terminal?.Path ?? ""))!;
            if (!input || terminal is not null)
            {
                process.StandardInput.Close();
            }

            return new ExecSession(container, process, terminal);
        }
        catch
        {
            terminal?.Dispose();
            throw;
        }
    }

    /// <summary>Carries the streams until the command has ended or the client is gone.</summary>
    public async Task RunAsync(ExecWire client, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var input = ReadInputAsync(client, ending.Token);
        var (problem, early) = await ContainerCommand.WhenEnteredAsync(_container, _process, ct);
        if (early.Length > 0)
        {
            await client.WriteAsync(ExecChannel.Errors, early, ct);
        }

        var output = _terminal is not null
            ? PumpAsync(_terminal.Stream, ExecChannel.Output, client, ending.Token)
            : Task.WhenAll(
                PumpAsync(_process.StandardOutput.BaseStream, ExecChannel.Output, client, ending.Token),
                PumpAsync(_process.StandardError.BaseStream, ExecChannel.Errors, client, ending.Token));
        var exit = _process.WaitForExitAsync(ct);
        await Task.WhenAny(exit, input);
        if (!exit.IsCompleted)
        {
            // The client is gone; nobody waits for the command any more.
            _process.Kill(entireProcessTree: true);
        }

        await exit;
        await Task.WhenAny(output, Task.Delay(_tail, ct));
        await client.EndAsync(_process.ExitCode, problem is null ? "" : $"error executing command in container: {problem}", ct);
        await ExecWire.WhenClosedAsync(input, ct);
        await ending.CancelAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _terminal?.Dispose();
    }

    /// <summary>Copies a stream to the client until it ends.</summary>
    private static async Task PumpAsync(Stream source, ExecChannel channel, ExecWire client, CancellationToken ct)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (await source.ReadAsync(buffer, ct) is var count and > 0)
            {
                await client.WriteAsync(channel, buffer.AsMemory(0, count), ct);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A terminal whose command has ended reads as an error (EIO), not as an end.
        }
    }

    /// <summary>Completes when the client is gone.</summary>
    private async Task ReadInputAsync(ExecWire client, CancellationToken ct)
    {
        try
        {
            while (await client.ReadAsync(ct) is var (channel, bytes))
            {
                switch (channel)
                {
                    case ExecChannel.Resize when bytes.Length == 4:
                        _terminal?.Resize(BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)));
                        break;
                    case ExecChannel.Input when bytes.Length == 0 && _terminal is null:
                        _process.StandardInput.Close();
                        break;
                    case ExecChannel.Input:
                        await TakeInputAsync(bytes, ct);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or FormatException or OperationCanceledException or ObjectDisposedException)
        {
            // Gone, or talking nonsense: the same to the command.
        }
    }

    private async Task TakeInputAsync(byte[] bytes, CancellationToken ct)
    {
        try
        {
            var target = _terminal?.Stream ?? _process.StandardInput.BaseStream;
            await target.WriteAsync(bytes, ct);
            await target.FlushAsync(ct);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The command does not read its input: its own affair.
        }
    }
}

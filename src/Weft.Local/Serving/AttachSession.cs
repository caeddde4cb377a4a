// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using Weft.Local.Agent;
using Weft.Local.Streams;

namespace Weft.Local.Serving;

/// <summary>A client at the streams of a container's own process; the container goes on without it.</summary>
internal sealed class AttachSession(ContainerStreams streams)
{
    /// <summary>Carries the streams until the container has ended or the client is gone.</summary>
    /// <param name="input">Whether what the client says goes to the container, if that takes input.</param>
    public async Task RunAsync(ExecWire client, bool input, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listener = streams.Output.Listen();
        var reading = ReadAsync(client, input ? streams.Input : null, ending.Token);
        try
        {
            var writing = WriteAsync(client, listener, ending.Token);
            if (await Task.WhenAny(reading, writing) == writing)
            {
                await client.EndAsync(0, "", ct);
                await ExecWire.WhenClosedAsync(reading, ct);
            }
        }
        finally
        {
            streams.Output.Leave(listener);
            await ending.CancelAsync();
        }

        await reading;
    }

    private static async Task WriteAsync(
        ExecWire client, System.Threading.Channels.Channel<(bool IsErrors, byte[] Bytes)> listener, CancellationToken ct)
    {
        try
        {
            await foreach (var (isErrors, bytes) in listener.Reader.ReadAllAsync(ct))
            {
                await client.WriteAsync(isErrors ? ExecChannel.Errors : ExecChannel.Output, bytes, ct);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone.
        }
    }

    /// <summary>Completes when the client is gone.</summary>
    private async Task ReadAsync(ExecWire client, Stream? input, CancellationToken ct)
    {
        try
        {
            while (await client.ReadAsync(ct) is var (channel, bytes))
            {
                if (channel == ExecChannel.Resize && bytes.Length == 4)
                {
                    streams.Terminal?.Resize(BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)));
                }
                else if (channel == ExecChannel.Input && bytes.Length > 0 && input is not null)
                {
                    await input.WriteAsync(bytes, ct);
                    await input.FlushAsync(ct);
                }
                else if (channel == ExecChannel.Input && bytes.Length == 0)
                {
                    EndInput(input);
                }
            }
        }
        catch (Exception e) when (e is IOException or FormatException or OperationCanceledException or ObjectDisposedException)
        {
            // Gone, or talking nonsense, or the container does not read.
        }

        EndInput(input);
    }

    private void EndInput(Stream? input)
    {
        if (streams.InputEndsWithClient && streams.Terminal is null)
        {
            input?.Close();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Local.Serving;

namespace Weft.Local.Streams;

/// <summary>Carries a command's streams to its client and back. Writes may come from several tasks at a time.</summary>
internal abstract class ExecWire : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    /// <summary>What the client sends: input (empty at its end) or a terminal's size. Null when it is gone.</summary>
    public abstract Task<(ExecChannel Channel, byte[] Bytes)?> ReadAsync(CancellationToken ct);

    public abstract Task WriteAsync(ExecChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken ct);

    /// <summary>Tells how the command ended; the last thing that is sent.</summary>
    /// <param name="problem">Why it could not be run; empty when it ran.</param>
    public abstract Task EndAsync(int exitCode, string problem, CancellationToken ct);

    /// <summary>
    /// Returns when the client has heard the end and gone, or does not go. Closing while it still says something would throw away what it has
    /// not read: it would see a connection that broke, not an exit code.
    /// </summary>
    /// <param name="reading">Completes when the client is gone.</param>
    public static async Task WhenClosedAsync(Task reading, CancellationToken ct) => await Task.WhenAny(reading, Task.Delay(_patience, ct));

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A terminal's size as Kubernetes' clients write it, in the form of <see cref="ExecChannel.Resize"/>; null if it is nonsense.</summary>
    protected static byte[]? Size(ReadOnlySpan<byte> json)
    {
        try
        {
            var size = JsonNode.Parse(json) as JsonObject;
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(int)size!["Width"]!);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(int)size["Height"]!);
            return bytes;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NullReferenceException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The Status object that kubectl reads the exit code from.</summary>
    protected static byte[] Status(int exitCode, string problem)
    {
        var status = new JsonObject { ["metadata"] = new JsonObject() };
        if (problem.Length > 0)
        {
            status["status"] = "Failure";
            status["message"] = $"Internal error occurred: {problem}";
            status["reason"] = "InternalError";
            status["details"] = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = problem }) };
            status["code"] = 500;
        }
        else if (exitCode != 0)
        {
            var code = exitCode.ToString(CultureInfo.InvariantCulture);
            status["status"] = "Failure";
            status["message"] = $"command terminated with non-zero exit code: exit status {code}";
            status["reason"] = "NonZeroExitCode";
            status["details"] = new JsonObject
            {
                ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ExitCode", ["message"] = code }),
            };
        }
        else
        {
            status["status"] = "Success";
        }

        return System.Text.Encoding.UTF8.GetBytes(status.ToJsonString());
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Weft.Local.Controllers;

namespace Weft.Local.Agent;

/// <summary>Tells in the API what happens to a pod, in order and without holding the pod up.</summary>
internal sealed class PodEvents(PodSpec pod, EventLog log)
{
    /// <summary>Events that wait to be written; beyond this the oldest is dropped.</summary>
    public const int MaxWaiting = 64;

    public const string Component = "kubelet";

    private readonly Channel<(string Type, string Reason, string Message)> _waiting =
        Channel.CreateBounded<(string Type, string Reason, string Message)>(
            new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest });

    public void Normal(string reason, string message) => _waiting.Writer.TryWrite(("Normal", reason, message));

    public void Warning(string reason, string message) => _waiting.Writer.TryWrite(("Warning", reason, message));

    /// <summary>Writes them until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await foreach (var (type, reason, message) in _waiting.Reader.ReadAllAsync(ct))
            {
                await log.TellAsync(pod.Source, type, reason, message, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // The pod is at its end; its object goes and its events with it.
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Weft.Kubernetes;
using Weft.Local.Controllers;

namespace Weft.Local.Agent;

/// <summary>Tells in the API what happens to a pod, in order and without holding the pod up.</summary>
internal sealed class PodEvents
{
    /// <summary>Events that wait to be written; beyond this the oldest is dropped.</summary>
    public const int MaxWaiting = 64;

    public const string Component = "kubelet";

    private readonly PodSpec _pod;
    private readonly EventLog _log;
    private readonly Channel<Told> _waiting;
    private readonly string? _part;

    public PodEvents(PodSpec pod, EventLog log)
        : this(pod, log, Channel.CreateBounded<Told>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest }), null)
    {
    }

    private PodEvents(PodSpec pod, EventLog log, Channel<Told> waiting, string? part)
    {
        _pod = pod;
        _log = log;
        _waiting = waiting;
        _part = part;
    }

    /// <summary>The same for events about one of the pod's containers.</summary>
    public PodEvents Of(string container)
    {
        string[] lists = ["containers", "initContainers", "ephemeralContainers"];
        var list = Array.Find(lists, name => _pod.Source.Objects("spec", name).Any(found => found.Text("name") == container));
        return new PodEvents(_pod, _log, _waiting, list is null ? null : $"spec.{list}{{{container}}}");
    }

    public void Normal(string reason, string message) => _waiting.Writer.TryWrite(new Told("Normal", reason, message, _part));

    public void Warning(string reason, string message) => _waiting.Writer.TryWrite(new Told("Warning", reason, message, _part));

    /// <summary>Writes them until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            await foreach (var (type, reason, message, part) in _waiting.Reader.ReadAllAsync(ct))
            {
                await _log.TellAsync(_pod.Source, type, reason, message, ct, part);
            }
        }
        catch (OperationCanceledException)
        {
            // The pod is at its end; its object goes and its events with it.
        }
    }

    /// <param name="Type">Normal or Warning.</param>
    /// <param name="Reason">One word.</param>
    /// <param name="Message">A sentence.</param>
    /// <param name="Part">The field of the pod that it is about; null for the whole.</param>
    private sealed record Told(string Type, string Reason, string Message, string? Part);
}

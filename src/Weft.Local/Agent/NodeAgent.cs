// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>The kubelet's part: runs the pods that are bound to the nodes of this machine.</summary>
/// <param name="scenes">By the node's name.</param>
internal sealed partial class NodeAgent(IReadOnlyDictionary<string, PodScene> scenes, LocalNodeOptions options, Informer informer)
{
    private readonly ConcurrentDictionary<string, Pod> _pods = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task> _lives = new(StringComparer.Ordinal);

    /// <summary>Pods that have ended here and whose objects the informer may still show for a moment.</summary>
    private readonly ConcurrentDictionary<string, bool> _ended = new(StringComparer.Ordinal);
    private readonly Signal _changed = new();

    /// <summary>Nodes that were stopped: what is bound to them does not run.</summary>
    private readonly ConcurrentDictionary<string, bool> _stopped = new(StringComparer.Ordinal);

    /// <summary>The pods that run here, in the order of their names.</summary>
    public IReadOnlyList<Pod> Pods =>
        [.. _pods.Values.OrderBy(p => p.Spec.Namespace, StringComparer.Ordinal).ThenBy(p => p.Spec.Name, StringComparer.Ordinal)];

    public Pod? Find(string ns, string name) =>
        _pods.Values.FirstOrDefault(p => p.Spec.Namespace == ns && p.Spec.Name == name);

    public bool IsStopped(string node) => _stopped.ContainsKey(node);

    /// <summary>As when the machine's power fails: its pods' processes are gone at once, and the API is not told. False if there is no such node.</summary>
    public bool TryStop(string node)
    {
        if (!scenes.ContainsKey(node))
        {
            return false;
        }

        _stopped[node] = true;
        foreach (var pod in _pods.Values.Where(p => p.Spec.NodeName == node))
        {
            pod.Vanish();
        }

        return true;
    }

    /// <summary>Its pods start anew. False if there is no such node.</summary>
    public bool TryStart(string node)
    {
        _stopped.TryRemove(node, out _);
        _changed.Set();
        return scenes.ContainsKey(node);
    }

    /// <summary>Runs until cancelled; every pod has ended then.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        informer.Changed += OnChanged;
        try
        {
            await informer.WhenSyncedAsync(ct);
            RemoveForgottenFolders();
            while (true)
            {
                Reconcile(ct);
                await _changed.WaitAsync(ct);
            }
        }
        finally
        {
            informer.Changed -= OnChanged;
            if (ct.IsCancellationRequested)
            {
                // Only then do the pods end. A fault must not wait for them: it would never be seen, and no new pod would begin.
                await Task.WhenAll(_lives.Values);
            }
        }
    }

    /// <summary>A ConfigMap or Secret has changed: pods whose volumes show it write it anew.</summary>
    public void Refresh(ResourceKind kind, Change change)
    {
        foreach (var pod in _pods.Values.Where(p => p.Spec.Namespace == change.Object.Namespace()))
        {
            pod.Refresh(kind, change.Object.Name());
        }
    }

    private void OnChanged(Change change)
    {
        if (change.Type == ChangeType.Deleted && _pods.TryGetValue(change.Object.Uid(), out var pod))
        {
            pod.Abandon();
        }

        _changed.Set();
    }

    private void Reconcile(CancellationToken ct)
    {
        var shown = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in informer.Items)
        {
            var uid = item.Uid();
            shown.Add(uid);
            var node = item.Text("spec", "nodeName") ?? "";
            if (uid.Length == 0 || !scenes.TryGetValue(node, out var scene) || _stopped.ContainsKey(node) || _ended.ContainsKey(uid))
            {
                continue;
            }

            if (_pods.TryGetValue(uid, out var known))
            {
                // Most have not changed since the last look, and there may be many.
                if (!ReferenceEquals(known.Spec.Source, item))
                {
                    known.Update(new PodSpec(item, scene.Node));
                }
            }
            else if (new PodSpec(item, scene.Node) is var spec && (spec.IsDeleting || spec.Phase is not ("Succeeded" or "Failed")))
            {
                Begin(spec, scene, ct);
            }
        }

        foreach (var uid in _ended.Keys.Where(uid => !shown.Contains(uid)))
        {
            _ended.TryRemove(uid, out _);
        }

        // A pod deleted and made again between two looks of the informer never showed up as deleted.
        foreach (var pod in _pods.Values)
        {
            if (informer.Find(pod.Spec.Namespace, pod.Spec.Name)?.Uid() != pod.Spec.Uid)
            {
                pod.Abandon();
            }
        }
    }

    private void Begin(PodSpec spec, PodScene scene, CancellationToken ct)
    {
        var pod = new Pod(spec, scene, new Random(options.Random.Next()));
        _pods[spec.Uid] = pod;
        if (spec.IsDeleting)
        {
            // Its processes died with the last node; only the object is left to delete.
            pod.Update(spec);
        }

        _lives[spec.Uid] = LiveAsync(pod, ct);
    }

    private async Task LiveAsync(Pod pod, CancellationToken ct)
    {
        // The informer's thread must not be held up by a pod's first steps.
        await Task.Yield();
        try
        {
            await pod.RunAsync(ct);
        }
        catch (Exception e)
        {
            LogPodFailed(options.Log, pod.Spec.Namespace, pod.Spec.Name, e);
        }
        finally
        {
            await pod.DisposeAsync();
            if (!_stopped.ContainsKey(pod.Spec.NodeName))
            {
                _ended[pod.Spec.Uid] = true;
            }

            _pods.TryRemove(pod.Spec.Uid, out _);
            _lives.TryRemove(pod.Spec.Uid, out _);
            _changed.Set();
        }
    }

    private void RemoveForgottenFolders()
    {
        var known = informer.Items.Select(p => p.Uid()).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in Directory.GetDirectories(options.Home.Pods))
        {
            if (!known.Contains(Path.GetFileName(folder)))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [LoggerMessage(5430, LogLevel.Error, "{Namespace}/{Pod} failed.")]
    private static partial void LogPodFailed(ILogger log, string @namespace, string pod, Exception error);
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Agent;
using Weft.Local.Processes;

namespace Weft.Local.Serving;

/// <summary>Measures what containers use: from their control groups, or from their processes where there are none.</summary>
internal sealed class NodeStats(NodeAgent agent, LocalNodeOptions options)
{
    /// <summary>Asked again sooner than this, the last answer stands.</summary>
    private static readonly TimeSpan _shortest = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan _every = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, Sample> _samples = new(StringComparer.Ordinal);

    /// <summary>Takes samples now and then, so that an answer never tells of long ago, until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            Describe();
            await Task.Delay(_every, options.Time, ct);
        }
    }

    /// <summary>Pods and nodes in the form of metrics.k8s.io.</summary>
    public JsonObject Describe()
    {
        var usage = new Lazy<IReadOnlyDictionary<string, (long Cpu, long Memory)>>(ProcessTable.Usage);
        var pods = new JsonArray();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var nodes = options.Nodes.ToDictionary(n => n.Name, _ => (Cpu: 0m, Memory: 0L), StringComparer.Ordinal);
        foreach (var pod in agent.Pods)
        {
            var containers = new JsonArray();
            foreach (var container in pod.Containers.Where(c => c.ProcessId != 0))
            {
                seen.Add(container.Id);
                var (cpu, memory) = Measure(container, usage);
                containers.Add(new JsonObject { ["name"] = container.Spec.Name, ["usage"] = Usage(cpu, memory) });
                var (nodeCpu, nodeMemory) = nodes.GetValueOrDefault(pod.Spec.NodeName);
                nodes[pod.Spec.NodeName] = (nodeCpu + cpu, nodeMemory + memory);
            }

            if (containers.Count > 0)
            {
                pods.Add(Item(pod.Spec.Name, pod.Spec.Namespace, pod.Spec.Source.Find("metadata", "labels"), new JsonObject { ["containers"] = containers }));
            }
        }

        foreach (var gone in _samples.Keys.Where(id => !seen.Contains(id)))
        {
            _samples.TryRemove(gone, out _);
        }

        return new JsonObject
        {
            ["pods"] = pods,
            ["nodes"] = new JsonArray([.. nodes.Select(n => Item(n.Key, "", null, new JsonObject { ["usage"] = Usage(n.Value.Cpu, n.Value.Memory) }))]),
        };
    }

    private (decimal Cpu, long Memory) Measure(ContainerSnapshot container, Lazy<IReadOnlyDictionary<string, (long Cpu, long Memory)>> usage)
    {
        var now = options.Time.GetTimestamp();
        var before = _samples.GetValueOrDefault(container.Id);
        if (before is not null && options.Time.GetElapsedTime(before.At, now) < _shortest)
        {
            return (before.Rate, before.Memory);
        }

        var group = container.Start?.Group;
        var found = group is { CpuNanoseconds: { } nanoseconds, MemoryBytes: { } bytes }
            ? (Cpu: nanoseconds, Memory: bytes)
            : usage.Value.GetValueOrDefault(ProcessTable.NamespaceOf(container.ProcessId, "mnt"));
        var seconds = before is not null ? options.Time.GetElapsedTime(before.At, now).TotalSeconds
            : container.State is ContainerState.Running running ? (options.Time.GetUtcNow() - running.Since).TotalSeconds : 1;
        var rate = (decimal)Math.Max(0, (found.Cpu - (before?.Cpu ?? 0)) / 1e9 / Math.Max(seconds, 0.1));
        _samples[container.Id] = new Sample(now, found.Cpu, found.Memory, rate);
        return (rate, found.Memory);
    }

    private JsonObject Item(string name, string ns, JsonNode? labels, JsonObject item)
    {
        var now = ContainerState.Time(options.Time.GetUtcNow());
        var metadata = new JsonObject { ["name"] = name, ["creationTimestamp"] = now, ["labels"] = labels?.DeepClone() };
        if (ns.Length > 0)
        {
            metadata["namespace"] = ns;
        }

        item["metadata"] = metadata;
        item["timestamp"] = now;
        item["window"] = string.Create(CultureInfo.InvariantCulture, $"{_every.TotalSeconds:0}s");
        return item;
    }

    private static JsonObject Usage(decimal cpu, long memory) => new()
    {
        ["cpu"] = string.Create(CultureInfo.InvariantCulture, $"{Math.Round(cpu * 1_000_000_000m):0}n"),
        ["memory"] = string.Create(CultureInfo.InvariantCulture, $"{memory / 1024}Ki"),
    };

    private sealed record Sample(long At, long Cpu, long Memory, decimal Rate);
}

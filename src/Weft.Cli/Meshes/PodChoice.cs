// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Dialects.Reading;
using Weft.Kubernetes;

namespace Weft.Cli.Meshes;

/// <summary>Which pod a command line means: <c>NAME</c>, <c>NAME.NAMESPACE</c>, <c>pod/NAME</c>, <c>deploy/NAME</c> or <c>svc/NAME</c>.</summary>
internal static class PodChoice
{
    private static readonly (string[] Names, ResourceKind Kind)[] _owners =
    [
        (["deploy", "deployment", "deployments"], Kinds.Deployment),
        (["sts", "statefulset", "statefulsets"], Kinds.StatefulSet),
        (["ds", "daemonset", "daemonsets"], Kinds.DaemonSet),
        (["svc", "service", "services"], Kinds.Service),
    ];

    /// <summary>One pod: the one named, or a ready one of the workload.</summary>
    public static async Task<JsonObject> FindAsync(KubernetesClient client, string ns, string text, CancellationToken ct)
    {
        var found = await FindAllAsync(client, ns, text, ct);
        return found.Pods.OrderByDescending(PodFacts.IsReadyOrDone).ThenBy(pod => pod.Name(), StringComparer.Ordinal)
            .FirstOrDefault(pod => found.Selector is null || pod.Find("metadata", "deletionTimestamp") is null)
            ?? throw new CommandException(ExitCode.Failed, $"'{text}' has no pod.", "weft status lists the pods.");
    }

    /// <summary>The pod named, or all of a workload. A plain name that no pod has may be a workload's.</summary>
    public static async Task<PodsFound> FindAllAsync(KubernetesClient client, string ns, string text, CancellationToken ct)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (kind, name) = slash < 0 ? ("pod", text) : (text[..slash], text[(slash + 1)..]);
        if (_owners.FirstOrDefault(owner => owner.Names.Contains(kind, StringComparer.Ordinal)).Kind is { } owner)
        {
            return await TrySelectedAsync(client, owner, ns, name, ct)
                ?? throw new CommandException(ExitCode.Failed, $"There is no {owner.Kind} '{name}' in namespace '{ns}'.");
        }

        if (kind is not ("pod" or "pods" or "po"))
        {
            throw new CommandException(ExitCode.WrongUsage, $"'{text}' names no pod.", "Write POD, POD.NAMESPACE, deploy/NAME or svc/NAME.");
        }

        var (pod, refusal) = await PodAsync(client, ns, name, ct);
        if (pod is not null)
        {
            return new PodsFound(pod.Namespace(), null, [pod]);
        }

        foreach (var workload in slash < 0 ? _owners.Select(each => each.Kind) : [])
        {
            if (await TrySelectedAsync(client, workload, ns, name, ct) is { } found)
            {
                return found;
            }
        }

        throw refusal!;
    }

    private static async Task<(JsonObject? Pod, CommandException? Refusal)> PodAsync(KubernetesClient client, string ns, string name, CancellationToken ct)
    {
        var pods = (await client.ListAsync(Kinds.Pod, null, null, ct)).Objects("items").ToList();
        // As istioctl writes it: a dot and the namespace after the name. A pod's own name may hold a dot too, and wins.
        var found = pods.FirstOrDefault(pod => pod.Namespace() == ns && pod.Name() == name)
            ?? pods.FirstOrDefault(pod => $"{pod.Name()}.{pod.Namespace()}" == name);
        if (found is not null)
        {
            return (found, null);
        }

        if (pods.FirstOrDefault(pod => pod.Name() == name) is { } elsewhere)
        {
            return (null, new CommandException(ExitCode.Failed, $"There is no pod '{name}' in namespace '{ns}'.", $"It is in another one: -n {elsewhere.Namespace()}"));
        }

        var near = NearestName.Of(name, pods.Where(pod => pod.Namespace() == ns).Select(pod => pod.Name()));
        return (null, new CommandException(
            ExitCode.Failed, $"There is no pod '{name}' in namespace '{ns}'.", near is null ? "weft status lists the pods." : $"Did you mean '{near}'?"));
    }

    private static async Task<PodsFound?> TrySelectedAsync(KubernetesClient client, ResourceKind kind, string ns, string name, CancellationToken ct)
    {
        JsonObject owner;
        try
        {
            owner = await client.GetAsync(kind, ns, name, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            return null;
        }

        var labels = kind == Kinds.Service ? owner.TextMap("spec", "selector") : owner.TextMap("spec", "selector", "matchLabels");
        var selector = string.Join(',', labels.Select(label => $"{label.Key}={label.Value}"));
        var pods = selector.Length == 0 ? [] : (await client.ListAsync(Kinds.Pod, ns, selector, ct)).Objects("items").ToList();
        return new PodsFound(ns, selector, pods);
    }
}

/// <summary>The pods that a command line means; a selector of null stands for one pod that was named itself.</summary>
internal sealed record PodsFound(string Namespace, string? Selector, IReadOnlyList<JsonObject> Pods);

// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Dialects.Reading;
using Weft.Kubernetes;

namespace Weft.Cli.Meshes;

/// <summary>Which pod a command line means: <c>NAME</c>, <c>NAME.NAMESPACE</c>, <c>pod/NAME</c>, <c>deploy/NAME</c> or <c>svc/NAME</c>.</summary>
internal static class PodChoice
{
    public static async Task<JsonObject> FindAsync(KubernetesClient client, string ns, string text, CancellationToken ct)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (kind, name) = slash < 0 ? ("pod", text) : (text[..slash], text[(slash + 1)..]);
        return kind switch
        {
            "pod" or "pods" or "po" => await PodAsync(client, ns, name, ct),
            "deploy" or "deployment" or "deployments" => await SelectedAsync(client, Kinds.Deployment, ns, name, ["spec", "selector", "matchLabels"], ct),
            "svc" or "service" or "services" => await SelectedAsync(client, Kinds.Service, ns, name, ["spec", "selector"], ct),
            _ => throw new CommandException(ExitCode.WrongUsage, $"'{text}' names no pod.", "Write POD, POD.NAMESPACE, deploy/NAME or svc/NAME."),
        };
    }

    private static async Task<JsonObject> PodAsync(KubernetesClient client, string ns, string name, CancellationToken ct)
    {
        var pods = (await client.ListAsync(Kinds.Pod, null, null, ct)).Objects("items").ToList();
        // As istioctl writes it: a dot and the namespace after the name. A pod's own name may hold a dot too, and wins.
        var found = pods.FirstOrDefault(pod => pod.Namespace() == ns && pod.Name() == name)
            ?? pods.FirstOrDefault(pod => $"{pod.Name()}.{pod.Namespace()}" == name);
        if (found is not null)
        {
            return found;
        }

        if (pods.FirstOrDefault(pod => pod.Name() == name) is { } elsewhere)
        {
            throw new CommandException(ExitCode.Failed, $"There is no pod '{name}' in namespace '{ns}'.", $"It is in another one: -n {elsewhere.Namespace()}");
        }

        var near = NearestName.Of(name, pods.Where(pod => pod.Namespace() == ns).Select(pod => pod.Name()));
        throw new CommandException(
            ExitCode.Failed, $"There is no pod '{name}' in namespace '{ns}'.", near is null ? "weft status lists the pods." : $"Did you mean '{near}'?");
    }

    private static async Task<JsonObject> SelectedAsync(
        KubernetesClient client, ResourceKind kind, string ns, string name, string[] selectorPath, CancellationToken ct)
    {
        JsonObject owner;
        try
        {
            owner = await client.GetAsync(kind, ns, name, ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            throw new CommandException(ExitCode.Failed, $"There is no {kind.Kind} '{name}' in namespace '{ns}'.");
        }

        var selector = string.Join(',', owner.TextMap(selectorPath).Select(label => $"{label.Key}={label.Value}"));
        var pods = selector.Length == 0 ? [] : (await client.ListAsync(Kinds.Pod, ns, selector, ct)).Objects("items").ToList();
        return pods.OrderByDescending(PodFacts.IsReadyOrDone).ThenBy(pod => pod.Name(), StringComparer.Ordinal)
            .FirstOrDefault(pod => pod.Find("metadata", "deletionTimestamp") is null)
            ?? throw new CommandException(ExitCode.Failed, $"{kind.Kind} '{name}' has no pod.", "weft status lists the pods.");
    }
}

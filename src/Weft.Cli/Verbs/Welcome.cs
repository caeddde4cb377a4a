// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Outside;

namespace Weft.Cli.Verbs;

/// <summary>What a started mesh says: pods with addresses, URLs, and what to type next.</summary>
internal static class Welcome
{
    private const int NameWidth = 24;

    public static async Task WriteAsync(
        MeshHome home, KubernetesClient client, Terminal terminal, TimeSpan took, IReadOnlySet<string> namespaces, CancellationToken ct)
    {
        terminal.Say($"  Ready in {Terminal.Seconds(took)}.");
        terminal.Say("");
        var pods = (await client.ListAsync(Kinds.Pod, null, null, ct)).Objects("items").ToList();
        if (pods.Count > 0)
        {
            await terminal.Out.WriteAsync(StatusVerb.PodTable(pods) + "\n");
        }

        // A front page is what people want first; the API's address comes last.
        foreach (var port in OpenPort.Read(home.OpenPorts).OrderBy(port => port.Name == "api"))
        {
            var name = port.Name == "api" ? "Kubernetes API" : port.Name;
            await terminal.Out.WriteAsync($"{name.PadRight(NameWidth)}  {port.Url}\n");
        }

        await terminal.Out.WriteAsync($"\nTry:\n  export KUBECONFIG={home.Kubeconfig}\n");
        var pod = pods.FirstOrDefault(candidate => namespaces.Contains(candidate.Namespace())) ?? pods.FirstOrDefault();
        await terminal.Out.WriteAsync(pod is null
            ? "  weft kubectl apply -f FILE\n  weft status\n"
            : $"  weft kubectl get pods -n {pod.Namespace()}\n  weft proxy-config route {pod.Name()} -n {pod.Namespace()}\n");
        await terminal.Out.FlushAsync(ct);
    }
}

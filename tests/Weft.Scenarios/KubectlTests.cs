// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>What people type, with the oldest and the newest kubectl that we promise.</summary>
[Collection(RunningMesh.Name)]
public sealed class KubectlTests(TestMesh mesh)
{
    [Theory]
    [InlineData("v32")]
    [InlineData("v35")]
    public async Task Kubectl_does_what_it_does_on_a_cluster(string version)
    {
        var ns = $"kubectl-{version}";
        var kubectl = Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", $"kubectl-{version}", "kubectl");
        async Task<string> RunAsync(params string[] arguments) =>
            (await Command.RunAsync(kubectl, [.. arguments, "-n", ns], mesh.Environment)).Succeeded();

        var file = Path.Combine(mesh.Home, $"{ns}.yaml");
        await File.WriteAllTextAsync(
            file,
            Manifests.Namespace(ns) + Manifests.App(ns, "web", "v1") + Manifests.Service(ns, "web")
            + Manifests.Subsets(ns, "web") + Manifests.Split(ns, "web", 50, 50) + Manifests.PeerMode(ns, "STRICT"));
        Assert.Contains("deployment.apps/web-v1 created", await RunAsync("apply", "-f", file), StringComparison.Ordinal);
        Assert.Contains("deployment.apps/web-v1 unchanged", await RunAsync("apply", "-f", file), StringComparison.Ordinal);
        Assert.Contains("condition met", await RunAsync("wait", "--for=condition=Available", "deployment/web-v1", "--timeout=60s"), StringComparison.Ordinal);
        Assert.Contains("successfully rolled out", await RunAsync("rollout", "status", "deployment/web-v1", "--timeout=60s"), StringComparison.Ordinal);

        Assert.Matches("web-v1-[a-z0-9-]+ +2/2 +Running", await RunAsync("get", "pods"));
        Assert.Matches("10\\.244\\.[0-9.]+ +weft", await RunAsync("get", "pods", "-o", "wide", "-l", "app=web"));
        Assert.StartsWith("pod/web-v1-", await RunAsync("get", "pods", "-o", "name"), StringComparison.Ordinal);
        Assert.Matches("web +ClusterIP +10\\.96\\.", await RunAsync("get", "services"));
        Assert.Contains("kind: VirtualService", await RunAsync("get", "virtualservices", "web", "-o", "yaml"), StringComparison.Ordinal);
        Assert.Matches("default +STRICT", await RunAsync("get", "peerauthentications"));
        Assert.Contains("networking.istio.io/v1", await RunAsync("api-resources"), StringComparison.Ordinal);
        Assert.Contains("Image:", await RunAsync("describe", "pods"), StringComparison.Ordinal);

        Assert.Contains("labeled", await RunAsync("label", "service", "web", "team=blue"), StringComparison.Ordinal);
        Assert.Contains("annotated", await RunAsync("annotate", "service", "web", "note=here"), StringComparison.Ordinal);
        Assert.Contains("patched", await RunAsync("patch", "service", "web", "--type=merge", "-p", """{"metadata":{"labels":{"team":"red"}}}"""), StringComparison.Ordinal);
        Assert.Equal("red here", (await RunAsync("get", "service", "web", "-o", "jsonpath={.metadata.labels.team} {.metadata.annotations.note}")).Trim());
        Assert.Contains("created", await RunAsync("create", "configmap", "settings", "--from-literal=a=b"), StringComparison.Ordinal);

        Assert.Contains("scaled", await RunAsync("scale", "deployment/web-v1", "--replicas=3"), StringComparison.Ordinal);
        await RunAsync("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web-v1", "--timeout=60s");
        Assert.Contains("web v1 listens", await RunAsync("logs", "deployment/web-v1", "-c", "app"), StringComparison.Ordinal);

        // The namespace comes first in the file and takes the others with it, as on a cluster.
        Assert.Contains("deleted", await RunAsync("delete", "-f", file, "--ignore-not-found"), StringComparison.Ordinal);
        Assert.DoesNotContain(ns, await RunAsync("get", "namespaces"), StringComparison.Ordinal);
    }
}

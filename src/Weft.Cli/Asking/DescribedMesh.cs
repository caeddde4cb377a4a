// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Applying;
using Weft.Cli.Meshes;
using Weft.Cli.Output;
using Weft.Compiler;
using Weft.Compiler.Explain;
using Weft.Dialects.Reading;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Cli.Asking;

/// <summary>The mesh that is asked about: a running one's objects, or those of files.</summary>
internal sealed class DescribedMesh
{
    /// <summary>What telemetry and subsets go by.</summary>
    private static readonly string[] _telemetryLabels = ["app", "version"];

    private readonly DrawnMesh _drawn;
    private readonly MeshSnapshot _snapshot;
    private readonly bool _isLive;

    private DescribedMesh(DrawnMesh drawn, bool isLive) => (_drawn, _snapshot, _isLive) = (drawn, drawn.State.Snapshot(), isLive);

    public static async Task<DescribedMesh> OpenAsync(string[] files, CancellationToken ct)
    {
        if (files.Length > 0)
        {
            return new DescribedMesh(DrawnMesh.Of(ManifestFiles.Find(files).SelectMany(file => ManifestFiles.Read(file).Objects)), isLive: false);
        }

        var (home, _) = MeshPlace.Running();
        using var client = MeshPlace.Connect(home);
        return new DescribedMesh(DrawnMesh.Of(await LiveObjects.ReadAsync(client, ct)), isLive: true);
    }

    /// <summary>The pod that a command line means.</summary>
    public async Task<Workload> FindPodAsync(string text, string ns, CancellationToken ct)
    {
        if (!_isLive)
        {
            return FileGround.Find(_snapshot.World, text, ns);
        }

        var (home, _) = MeshPlace.Running();
        using var client = MeshPlace.Connect(home);
        var pod = await PodChoice.FindAsync(client, ns, text, ct);
        return _snapshot.World.Workloads.FirstOrDefault(w => w.Namespace == pod.Namespace() && w.Name == pod.Name())
            ?? throw new CommandException(ExitCode.Failed, $"Pod '{pod.Namespace()}/{pod.Name()}' has no address: it does not run.", $"weft kubectl describe pod {pod.Name()} -n {pod.Namespace()}  says why.");
    }

    /// <summary>The service that a command line means.</summary>
    public Service FindService(string text, string ns)
    {
        var name = text.StartsWith("svc/", StringComparison.Ordinal) || text.StartsWith("service/", StringComparison.Ordinal) ? text[(text.IndexOf('/', StringComparison.Ordinal) + 1)..] : text;
        var services = _snapshot.World.Services;
        var found = services.FirstOrDefault(s => s.Namespace == ns && s.Name == name && !s.IsEntry)
            ?? services.FirstOrDefault(s => s.Host == name || $"{s.Name}.{s.Namespace}" == name || $"{s.Name}.{s.Namespace}.svc" == name);
        if (found is not null)
        {
            return found;
        }

        var elsewhere = services.FirstOrDefault(s => s.Name == name);
        var near = NearestName.Of(name, services.Where(s => s.Namespace == ns).Select(s => s.Name));
        throw new CommandException(
            ExitCode.Failed,
            $"There is no service '{name}' in namespace '{ns}'.",
            elsewhere is not null ? $"It is in another one: -n {elsewhere.Namespace}" : near is not null ? $"Did you mean '{near}'?" : "weft kubectl get services -A  lists them.");
    }

    public DescriptionText Pod(Workload pod)
    {
        var json = _drawn.Objects.FirstOrDefault(o => o.Origin.Kind == "Pod" && o.Origin.Namespace == pod.Namespace && o.Origin.Name == pod.Name)?.ToJson() ?? [];
        var containers = json.Objects("spec", "containers").Concat(json.Objects("spec", "initContainers").Where(c => c.Text("restartPolicy") == "Always"))
            .Select(c => $"{c.Text("name")}{string.Concat(c.Objects("ports").Select(p => $" {p.Number("containerPort")}"))}").ToList();
        var services = ServiceFacts.Of(_snapshot, pod).Select(s => ServiceFacts.About(_snapshot, s, [pod])).ToList();
        var warnings = new List<string>();
        if (!pod.Meshed)
        {
            warnings.Add($"The pod has no proxy: rules of clients do not hold for its requests, and it speaks plain text. weft kubectl label ns {pod.Namespace} istio-injection=enabled, then replace it.");
        }

        if (services.Count == 0)
        {
            warnings.Add("No service leads to the pod.");
        }

        warnings.AddRange(_telemetryLabels.Where(label => pod.Meshed && pod.Labels.All(l => l.Key != label) && json.Text("metadata", "labels", $"app.kubernetes.io/{(label == "app" ? "name" : "version")}") is null)
            .Select(label => $"The pod has no label '{label}'; telemetry names it by its workload alone."));
        return Describe("pod", $"{pod.Name}.{pod.Namespace}", pod, containers, services, warnings, [pod]);
    }

    public DescriptionText Service(Service service)
    {
        var pods = _snapshot.World.Endpoints.Where(e => e.ServiceHost == service.Host && e.Namespace == service.EndpointNamespace)
            .SelectMany(e => e.Endpoints).Select(e => e.Workload).OfType<Workload>().Distinct().ToList();
        List<string> warnings = pods.Count == 0 && !service.IsEntry ? ["No pod is behind the service: requests are answered 503."] : [];
        warnings.AddRange(pods.Where(p => !p.Meshed).Take(3).Select(p => $"Pod {p.Name} has no proxy and is spoken to in plain text."));
        return Describe("service", $"{service.Name}.{service.Namespace}", null, [], [ServiceFacts.About(_snapshot, service, pods)], warnings, pods);
    }

    private DescriptionText Describe(
        string kind, string name, Workload? pod, IReadOnlyList<string> containers, IReadOnlyList<ServiceFacts> services, List<string> warnings, IReadOnlyList<Workload> pods)
    {
        var peers = pods.Where(p => p.Meshed).Select(p => ServiceFacts.PeersOf(_snapshot, p)).DistinctBy(p => (p.Mode, p.Decides)).ToList();
        var applied = services.SelectMany(s => new[] { s.Rule?.Origin, s.Route?.Intent.Origin }.Concat(s.Exposures.Select(e => (Origin?)e.Route))).Concat(peers.Select(p => p.Decides))
            .OfType<Origin>().Select(o => (o.Kind, o.Namespace, o.Name)).ToHashSet();
        var findings = _snapshot.Analyze().Where(f => applied.Contains((f.Origin.Kind, f.Origin.Namespace, f.Origin.Name))).ToList();
        return new DescriptionText(kind, name, pod, containers, services, peers, [.. warnings, .. services.SelectMany(s => s.Warnings)], findings);
    }
}

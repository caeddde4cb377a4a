// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Injection;
using Weft.Control.Sources;
using Weft.Dialects;
using Weft.Dialects.Kubernetes;
using Weft.Kubernetes;
using Weft.Model.World;

namespace Weft.Cli.Asking;

/// <summary>
/// A mesh as its objects say it would be, without one running: services get addresses, workloads pods, and pods their proxies, as far as
/// the objects do not have them already.
/// </summary>
internal sealed class DrawnMesh
{
    /// <summary>More pods of one workload would only make answers longer.</summary>
    private const int MaxReplicas = 10;

    private static readonly string[] _controllers = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

    private readonly List<ParsedObject> _objects;
    private readonly Dictionary<string, JsonObject> _namespaces = new(StringComparer.Ordinal);
    private int _pods;
    private int _addresses;

    private DrawnMesh(IEnumerable<ParsedObject> objects, MeshSettings settings)
    {
        State = new MeshState(settings);

        // Of two objects of one name the later stands, as if both had been applied.
        _objects = [.. objects.Where(o => o.Root is not null).GroupBy(o => (GroupOf(o.ApiVersion), o.Origin.Kind, o.Origin.Namespace, o.Origin.Name)).Select(g => g.Last())];
    }

    /// <summary>What the control plane would know.</summary>
    public MeshState State { get; }

    /// <summary>Every object, those that were made for the drawing included.</summary>
    public IReadOnlyList<ParsedObject> Objects => _objects;

    /// <summary>Draws the mesh of these objects.</summary>
    public static DrawnMesh Of(IEnumerable<ParsedObject> objects, MeshSettings? settings = null)
    {
        var mesh = new DrawnMesh(objects, settings ?? MeshSettings.Default);
        mesh.Draw();
        return mesh;
    }

    private static string GroupOf(string apiVersion) => apiVersion.Contains('/', StringComparison.Ordinal) ? apiVersion[..apiVersion.IndexOf('/', StringComparison.Ordinal)] : "";

    private void Draw()
    {
        foreach (var item in _objects.Where(o => o.Origin.Kind == "Namespace"))
        {
            _namespaces[item.Origin.Name] = item.ToJson()!;
        }

        foreach (var item in _objects.ToList())
        {
            if (_controllers.Contains(item.Origin.Kind, StringComparer.Ordinal))
            {
                DrawPods(item);
            }
            else if (item.Origin.Kind == "Pod" && item.IsValid && item.Workload is null && item.ToJson() is { } pod && pod.Text("status", "phase") is null)
            {
                _objects.Remove(item);
                _objects.Add(Start(pod));
            }
        }

        foreach (var item in _objects)
        {
            Add(item);
        }

        foreach (var service in _objects.Where(o => o.Service is not null && !HasSlice(o)).ToList())
        {
            DrawSlice(service.Service!, service.ToJson()!);
        }
    }

    private bool HasSlice(ParsedObject service) =>
        _objects.Exists(o => o.Slice is { } slice && slice.Namespace == service.Origin.Namespace && slice.Service == service.Origin.Name);

    private void Add(ParsedObject item)
    {
        var key = new ObjectKey(GroupOf(item.ApiVersion), item.Origin.Kind, item.Origin.Namespace, item.Origin.Name);
        if (item.Service is { Headless: false, Addresses.Count: 0 } service)
        {
            item = item with { Content = item.Content with { Service = service with { Addresses = [$"10.96.{Pair(++_addresses)}"] } } };
        }

        State.Apply(key, item);
    }

    /// <summary>Where the workload's pods are among the objects, they are the truth.</summary>
    private void DrawPods(ParsedObject controller)
    {
        var json = controller.ToJson()!;
        var wanted = json.TextMap("spec", "selector", "matchLabels").ToList();
        if (json.Find("spec", "template") is not JsonObject template || _objects.Exists(o => o.Workload is { } w
            && w.Namespace == controller.Origin.Namespace && wanted.TrueForAll(l => w.Labels.Contains(new Label(l.Key, l.Value)))))
        {
            return;
        }

        var replicas = Math.Min(json.Number("spec", "replicas") ?? 1, MaxReplicas);
        for (var i = 1; i <= replicas; i++)
        {
            var pod = (JsonObject)template.DeepClone();
            pod["apiVersion"] = "v1";
            pod["kind"] = "Pod";
            var metadata = pod["metadata"] as JsonObject ?? [];
            pod["metadata"] = metadata;
            metadata["name"] = string.Create(CultureInfo.InvariantCulture, $"{controller.Origin.Name}-{i}");
            metadata["namespace"] = controller.Origin.Namespace;
            metadata["ownerReferences"] = new JsonArray(new JsonObject
            {
                ["apiVersion"] = controller.ApiVersion,
                ["kind"] = controller.Origin.Kind,
                ["name"] = controller.Origin.Name,
                ["uid"] = controller.Origin.Name,
                ["controller"] = true,
            });
            _objects.Add(Start(pod));
        }
    }

    private ParsedObject Start(JsonObject pod)
    {
        var metadata = pod["metadata"]!.AsObject();
        if (pod.Namespace().Length == 0)
        {
            metadata["namespace"] = ParseOptions.Default.DefaultNamespace;
        }

        if (InjectionDecision.For(pod, _namespaces.GetValueOrDefault(pod.Namespace())).Inject)
        {
            var labels = metadata["labels"] as JsonObject ?? [];
            metadata["labels"] = labels;
            labels[SidecarInjector.TlsModeLabel] = "istio";
        }

        pod["status"] = new JsonObject { ["podIP"] = $"10.244.{Pair(++_pods)}", ["phase"] = "Running" };
        return Dialects.Dialects.ParseObject(pod);
    }

    private void DrawSlice(Service service, JsonObject json)
    {
        var selector = new LabelSelector([.. json.TextMap("spec", "selector").Select(l => new Label(l.Key, l.Value))]);
        if (selector.MatchLabels.Count == 0)
        {
            return;
        }

        var pods = _objects.Select(o => o.Workload).OfType<Workload>().Where(w => w.Namespace == service.Namespace && selector.Selects(w.Labels)).ToList();

        // Pods may call ports of one name by different numbers: one slice for each answer.
        foreach (var group in pods.GroupBy(pod => string.Join(',', service.Ports.Select(p => TargetPorts.Resolve(p, pod)))))
        {
            var first = group.First();
            var ports = service.Ports.Select(p => (p.Name, Port: TargetPorts.Resolve(p, first))).Where(p => p.Port is not null);
            var name = $"{service.Name}-{group.Key}";
            var spec = new EndpointSliceSpec(
                service.Namespace,
                name,
                service.Name,
                [.. ports.Select(p => new EndpointSlicePort(p.Name, p.Port!.Value))],
                [.. group.Select(pod => new SliceEndpoint(pod.Address, true, pod.Name))]);
            var origin = new Model.Diagnostics.Origin("weft", "EndpointSlice", service.Namespace, name, Model.Diagnostics.Position.None);
            State.Apply(
                new ObjectKey("discovery.k8s.io", "EndpointSlice", service.Namespace, name),
                new ParsedObject(origin, "discovery.k8s.io/v1", null, new ParsedContent(Slice: spec), [], null));
        }
    }

    private static string Pair(int number) => string.Create(CultureInfo.InvariantCulture, $"{(number >> 8) & 0xff}.{number & 0xff}");
}

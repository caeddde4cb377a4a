// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Serving;
using Weft.Kubernetes;
using Weft.Kubernetes.Tests.Fakes;

namespace Weft.Control.Tests.Serving;

/// <summary>A control plane with a small API behind it, in this process. A token <c>ns/account/pod</c> is its owner's.</summary>
internal sealed class RunningControl : IAsyncDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"weft-{Guid.NewGuid():N}");
    private CancellationTokenSource _stop = new();
    private ServingLimits _limits = ServingLimits.Default;
    private ControlPlane? _plane;
    private Task _run = Task.CompletedTask;

    public FakeApi Api { get; private set; } = null!;

    public string Xds => Path.Combine(_folder, "xds.sock");

    public string Control => Path.Combine(_folder, "control.sock");

    public static async Task<RunningControl> StartAsync(Action<FakeApi>? prepare = null, ServingLimits? limits = null)
    {
        var running = new RunningControl { _limits = limits ?? ServingLimits.Default };
        Directory.CreateDirectory(running._folder);
        running.Api = await FakeApi.StartAsync(Path.Combine(running._folder, "api.sock"));
        running.Api.ReviewToken = Review;
        running.Api.Put(Kinds.Namespace, Cluster("shop"));
        running.Api.Put(Kinds.Service, Service("reviews", 80));
        running.Api.Put(Kinds.EndpointSlice, Slice("reviews", "10.0.0.1", "reviews-1"));
        running.Api.Put(Kinds.Pod, Pod("web-1", "web", "10.0.0.9"));
        running.Api.Put(Kinds.Pod, Pod("reviews-1", "reviews", "10.0.0.1"));
        prepare?.Invoke(running.Api);
        await running.StartPlaneAsync();
        return running;
    }

    public async Task StartPlaneAsync()
    {
        _stop = new CancellationTokenSource();
        _plane = new ControlPlane(new ControlOptions(Api.Endpoint, Xds, Control, _folder) { Serving = _limits }, TimeProvider.System, NullLoggerFactory.Instance);
        _run = _plane.RunAsync(_stop.Token);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var ready = _plane.WhenReadyAsync(patience.Token);
        await await Task.WhenAny(_run, ready);
        await ready;
    }

    public async Task StopPlaneAsync()
    {
        await _stop.CancelAsync();
        await _run;
        await _plane!.DisposeAsync();
        _stop.Dispose();
        _plane = null;
    }

    public async Task<(int Status, string Body)> GetAsync(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Control), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var response = await http.GetAsync(new Uri($"http://localhost{path}"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse((await GetAsync(path)).Body)!;

    public async ValueTask DisposeAsync()
    {
        if (_plane is not null)
        {
            await StopPlaneAsync();
        }

        await Api.DisposeAsync();
        Directory.Delete(_folder, true);
    }

    public static JsonObject Route(string name, int weight) => JsonNode.Parse(
        $$"""
        {"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"{{name}}","namespace":"shop"},
         "spec":{"hosts":["{{name}}"],"http":[{"route":[
           {"destination":{"host":"{{name}}","subset":"v1"},"weight":{{weight}} },
           {"destination":{"host":"{{name}}","subset":"v2"},"weight":{{100 - weight}} }]}]} }
        """)!.AsObject();

    public static JsonObject Rule(string name) => JsonNode.Parse(
        $$"""
        {"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"{{name}}","namespace":"shop"},
         "spec":{"host":"{{name}}","subsets":[{"name":"v1","labels":{"version":"v1"} },{"name":"v2","labels":{"version":"v2"} }]} }
        """)!.AsObject();

    public static JsonObject Service(string name, int port) => JsonNode.Parse(
        $$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"shop"},
         "spec":{"clusterIP":"10.96.0.{{20 + name.Length}}","selector":{"app":"{{name}}"},
                 "ports":[{"name":"http","port":{{port}},"targetPort":8080}]} }
        """)!.AsObject();

    public static JsonObject Slice(string service, string address, string pod) => JsonNode.Parse(
        $$"""
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
         "metadata":{"name":"{{service}}-1","namespace":"shop","labels":{"kubernetes.io/service-name":"{{service}}"} },
         "ports":[{"name":"http","port":8080,"protocol":"TCP"}],
         "endpoints":[{"addresses":["{{address}}"],"conditions":{"ready":true},"targetRef":{"kind":"Pod","namespace":"shop","name":"{{pod}}"} }]}
        """)!.AsObject();

    public static JsonObject Pod(string name, string account, string address) => JsonNode.Parse(
        $$"""
        {"apiVersion":"v1","kind":"Pod",
         "metadata":{"name":"{{name}}","namespace":"shop","labels":{"app":"{{account}}","version":"v1","security.istio.io/tlsMode":"istio"} },
         "spec":{"serviceAccountName":"{{account}}","containers":[{"name":"app","image":"i","ports":[{"containerPort":8080}]}]},
         "status":{"phase":"Running","podIP":"{{address}}"} }
        """)!.AsObject();

    private static JsonObject Cluster(string name) => new() { ["metadata"] = new JsonObject { ["name"] = name } };

    private static JsonObject Review(string token) => token.Split('/') is not [var ns, var account, var pod]
        ? new JsonObject { ["authenticated"] = false, ["error"] = "the token is not known" }
        : new JsonObject
        {
            ["authenticated"] = true,
            ["audiences"] = new JsonArray("istio-ca"),
            ["user"] = new JsonObject
            {
                ["username"] = $"system:serviceaccount:{ns}:{account}",
                ["extra"] = new JsonObject { ["authentication.kubernetes.io/pod-name"] = new JsonArray(pod) },
            },
        };
}

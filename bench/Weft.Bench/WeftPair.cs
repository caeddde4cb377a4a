// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;

namespace Weft.Bench;

/// <summary>A pair of weft-proxy as a mesh would configure it: routes, retries, a timeout, metrics, mutual TLS between identities.</summary>
internal static class WeftPair
{
    private const int Port = 28130;
    private const int Middle = 28131;
    private const int AdminPort = 28132;
    private const string ServerId = "spiffe://cluster.local/ns/bench/sa/server";

    public static Topology Open(string root, string folder, Certificates certificates, string name, string io)
    {
        var program = Path.Combine(Environment.GetEnvironmentVariable("WEFT_BIN") ?? Path.Combine(root, "artifacts", "bin-weft"), "weft-proxy");
        if (!File.Exists(program))
        {
            throw new InvalidOperationException($"'{program}' is missing; './weft version' builds it.");
        }

        var shift = io == "epoll" ? 10 : 0;
        return new Topology(name, Port + shift, [
            Start(program, folder, certificates, "client", io, AdminPort + shift, Outbound(Port + shift, Middle + shift)),
            Start(program, folder, certificates, "server", io, AdminPort + 1 + shift, Inbound(Middle + shift)),
        ]);
    }

    private static Process Start(string program, string folder, Certificates certificates, string side, string io, int admin, ProxyPlan plan)
    {
        var state = Directory.CreateDirectory(Path.Combine(folder, $"weft-{side}-{io}")).FullName;
        var cache = Path.Combine(state, "plan");
        File.WriteAllBytes(cache, PlanCache.Write(new PlanEncoder().Encode(plan)));

        // As the proxy keeps its identity over restarts.
        const string Separator = "-----WEFT NEXT PART-----\n";
        File.WriteAllText(
            Path.Combine(state, "identity.pem"),
            string.Join(Separator, File.ReadAllText(certificates.Chain(side)), File.ReadAllText(certificates.Key(side)), File.ReadAllText(certificates.Root)));
        var bootstrap = new JsonObject
        {
            ["node"] = new JsonObject
            {
                ["id"] = $"sidecar~127.0.0.1~{side}.bench~bench.svc.cluster.local",
                ["metadata"] = new JsonObject
                {
                    ["name"] = side,
                    ["namespace"] = "bench",
                    ["workload"] = side,
                    ["canonicalName"] = side,
                    ["canonicalRevision"] = "v1",
                    ["serviceAccount"] = side,
                    ["clusterId"] = "Kubernetes",
                },
            },
            ["identity"] = new JsonObject { ["stateDirectory"] = state },
            ["ports"] = new JsonObject { ["admin"] = admin, ["metrics"] = 0, ["prometheus"] = 0, ["status"] = 0 },
            ["io"] = io,
            ["accessLog"] = "",
            ["planCache"] = cache,
            ["markSockets"] = false,
        };
        var file = Path.Combine(state, "bootstrap.json");
        File.WriteAllText(file, bootstrap.ToJsonString());
        return Tool.Open(program, "sidecar", "--bootstrap", file);
    }

    private static ProxyPlan Outbound(int port, int middle) => Plan(
        port,
        TrafficDirection.Outbound,
        null,
        Cluster("outbound|80||origin.bench.svc.cluster.local", middle, TrafficDirection.Outbound) with
        {
            Tls = new UpstreamTlsPlan(UpstreamTlsMode.Auto, "outbound_.80_._.origin.bench.svc.cluster.local", ["istio-http/1.1", "istio", "http/1.1"], [ServerId], "", false),
        },
        new RetryPlan(2, 0, ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"], [503], 25));

    private static ProxyPlan Inbound(int port) => Plan(
        port,
        TrafficDirection.Inbound,
        new DownstreamTlsPlan(true, ["cluster.local"], ["istio-http/1.1", "http/1.1"]),
        Cluster($"inbound|{Peers.OriginPort}||", Peers.OriginPort, TrafficDirection.Inbound),
        null);

    private static ProxyPlan Plan(int port, TrafficDirection direction, DownstreamTlsPlan? tls, ClusterPlan cluster, RetryPlan? retry)
    {
        var forward = new ForwardPlan([WeightedClusterPlan.Only(cluster.Name)], 15_000, retry, null);
        var route = new RoutePlan(
            "default", RouteMatchPlan.Everything, forward, null, null, null, HeaderOperationsPlan.None, HeaderOperationsPlan.None, Origin.BuiltIn);
        var chain = new ChainPlan("http", ChainMatchPlan.Any, tls, new HttpChainPlan("bench", "80", null, direction), null, Origin.BuiltIn);
        return new ProxyPlan(
            [new ListenerPlan($"127.0.0.1_{port}", "127.0.0.1", port, direction, true, false, tls is not null, false, 0, [chain], null)],
            [new RouteTablePlan("80", [new VirtualHostPlan("all", ["*"], [route])])],
            [cluster],
            []);
    }

    private static ClusterPlan Cluster(string name, int port, TrafficDirection direction) => new(
        name,
        ClusterKind.Static,
        LoadBalancerKind.LeastRequest,
        10_000,
        0,
        0,
        null,
        [new EndpointPlan("127.0.0.1", port, 1, true, true, new WorkloadNamePlan("origin", "bench", "origin", "v1", "Kubernetes", "server", "", ""))],
        new ServiceNamePlan("origin.bench.svc.cluster.local", "origin", "bench"),
        direction,
        Origin.BuiltIn);
}

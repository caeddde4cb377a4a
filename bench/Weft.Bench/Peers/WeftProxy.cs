// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;

namespace Weft.Bench.Peers;

/// <summary>weft-proxy with a plan and an identity on disk, one loop, as a sidecar has it; without the access log, as the peers.</summary>
internal sealed class WeftProxy(Lab lab)
{
    public Topology Hop(string io = "auto", string name = "weft")
    {
        var port = lab.NextPort();
        return new Topology(name, port, Start("hop", "client", WeftPlans.Hop(port, lab.Origin.Port), io));
    }

    /// <summary>One hop with a plan that is made for its port.</summary>
    public Topology Planned(string name, Func<int, ProxyPlan> plan)
    {
        var port = lab.NextPort();
        return new Topology(name, port, Start("planned", "client", plan(port)));
    }

    /// <summary>HTTP/1.1 in and out, mutual TLS between the two; between them pooled HTTP/1.1, or HTTP/2 that all requests share.</summary>
    public Topology Pair(string io = "auto", string name = "weft", bool shared = false)
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("pair-server", "server", WeftPlans.Inbound(middle, lab.Origin.Port, UpstreamProtocol.Http1), io);
        var client = Start("pair-client", "client", WeftPlans.Outbound(port, middle, shared), io);
        return new Topology(name, port, client, server);
    }

    /// <summary>The server's half alone, behind mutual TLS.</summary>
    public Topology TlsServer()
    {
        var port = lab.NextPort();
        return new Topology("weft", port, Start("tls-server", "server", WeftPlans.Inbound(port, lab.Origin.Port, UpstreamProtocol.Http1)));
    }

    /// <summary>Takes plain connections and opens one with mutual TLS for each, to any server: the client where thousands are needed.</summary>
    public Topology TlsOpener(int target)
    {
        var port = lab.NextPort();
        return new Topology("opener", port, Start("opener", "client", WeftPlans.Opener(port, target, lab.Certificates)));
    }

    /// <summary>HTTP/2 all the way, mutual TLS between the two.</summary>
    public Topology GrpcPair()
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("grpc-server", "server", WeftPlans.Inbound(middle, lab.Origin.Http2Port, UpstreamProtocol.AsClient));
        var client = Start("grpc-client", "client", WeftPlans.Outbound(port, middle, shared: true));
        return new Topology("weft", port, client, server);
    }

    /// <summary>Bytes, mutual TLS between the two.</summary>
    public Topology TcpPair(string io = "auto", string name = "weft")
    {
        var port = lab.NextPort();
        var middle = lab.NextPort();
        var server = Start("tcp-server", "server", WeftPlans.TcpInbound(middle, lab.Origin.Port), io);
        var client = Start("tcp-client", "client", WeftPlans.TcpOutbound(port, middle), io);
        return new Topology(name, port, client, server);
    }

    /// <summary>Starts without waiting, with everything on disk that a restarted proxy has.</summary>
    public Process Start(string name, string side, ProxyPlan plan, string io = "auto") =>
        Tool.Open(lab.WeftProgram, "sidecar", "--bootstrap", Prepare(name, side, plan, io, lab.NextPort()));

    /// <summary>Writes plan, identity and bootstrap; returns the bootstrap's path.</summary>
    public string Prepare(string name, string side, ProxyPlan plan, string io, int admin)
    {
        var state = lab.OwnFolder($"weft-{name}");
        var cache = Path.Combine(state, "plan");
        File.WriteAllBytes(cache, PlanCache.Write(new PlanEncoder().Encode(plan)));

        // As the proxy keeps its identity over restarts.
        const string Separator = "-----WEFT NEXT PART-----\n";
        var files = lab.Certificates;
        File.WriteAllText(
            Path.Combine(state, "identity.pem"),
            string.Join(Separator, File.ReadAllText(files.Chain(side)), File.ReadAllText(files.Key(side)), File.ReadAllText(files.Root)));
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
        return file;
    }
}

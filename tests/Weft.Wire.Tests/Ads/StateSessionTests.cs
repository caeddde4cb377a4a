// SPDX-License-Identifier: Apache-2.0

using Envoy.Service.Discovery.V3;
using FsCheck;
using FsCheck.Fluent;
using Google.Rpc;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Wire.Tests.Ads;

public sealed class StateSessionTests
{
    private static readonly PlanEncoder _encoder = new();

    [Fact]
    public void A_client_gets_the_whole_plan()
    {
        var client = new StateClient();
        client.Server.Update(_encoder.Encode(SmallMesh.Plan("a", "b")));
        client.Settle();
        Assert.Equal(SmallMesh.Plan("a", "b"), client.Plan);
        Assert.True(client.Server.IsIdle);
    }

    [Fact]
    public void Clusters_that_are_gone_are_removed_last()
    {
        var client = new StateClient();
        client.Server.Update(_encoder.Encode(SmallMesh.Plan("a")));
        client.Settle();
        client.Log.Clear();
        client.Server.Update(_encoder.Encode(SmallMesh.Plan("b")));
        client.Settle();
        Assert.Equal(
            [(TypeUrls.Cluster, 2), (TypeUrls.Endpoints, 1), (TypeUrls.RouteTable, 1), (TypeUrls.Cluster, 1)],
            client.Log.Where(r => r.TypeUrl != TypeUrls.Endpoints || r.Resources.Count > 0).Select(r => (r.TypeUrl, r.Resources.Count)).Distinct());
        Assert.Equal(SmallMesh.Plan("b"), client.Plan);
    }

    [Fact]
    public void A_refused_response_is_not_sent_again_until_something_changes()
    {
        var server = new StateServerSession();
        server.Update(_encoder.Encode(SmallMesh.Plan("a")));
        Assert.Null(server.Receive(new DiscoveryRequest { TypeUrl = TypeUrls.Cluster }));
        var response = server.Next()!;
        Assert.Null(server.Next());
        server.Receive(new DiscoveryRequest
        {
            TypeUrl = TypeUrls.Cluster,
            ResponseNonce = response.Nonce,
            ErrorDetail = new Status { Message = "no" },
        });
        Assert.Equal("no", server.LastError(TypeUrls.Cluster));
        Assert.Null(server.Next());
        server.Update(_encoder.Encode(SmallMesh.Plan("a", "b")));
        Assert.Equal(2, server.Next()!.Resources.Count);
    }

    [Fact]
    public void Too_many_names_and_unknown_types_end_the_stream()
    {
        var request = new DiscoveryRequest { TypeUrl = TypeUrls.Endpoints };
        request.ResourceNames.AddRange(Enumerable.Range(0, WireLimits.MaxSubscriptionsPerType + 1).Select(i => $"c{i}"));
        Assert.Contains("MaxSubscriptionsPerType", new StateServerSession().Receive(request), StringComparison.Ordinal);
        Assert.Contains("not served", new StateServerSession().Receive(new DiscoveryRequest { TypeUrl = "x" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_updates_and_delays_converge() => Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
    {
        var random = new Random(seed);
        var client = new StateClient();
        var plan = SmallMesh.Plan();
        client.Server.Update(_encoder.Encode(plan));
        for (var step = 0; step < 40; step++)
        {
            if (random.Next(4) == 0)
            {
                plan = SmallMesh.Random(random);
                client.Server.Update(_encoder.Encode(plan));
            }
            else
            {
                client.Step();
            }
        }

        client.Settle();
        return plan == client.Plan && client.Server.IsIdle;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    /// <summary>A client as gRPC's are: wildcard clusters and listeners, named endpoints and route tables, every answer an ACK.</summary>
    private sealed class StateClient
    {
        private readonly Dictionary<string, List<object>> _parts = new(StringComparer.Ordinal);
        private readonly Queue<DiscoveryRequest> _up = new();
        private readonly Dictionary<string, string> _nonces = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string[]> _names = new(StringComparer.Ordinal);

        public StateClient()
        {
            Ask(TypeUrls.Cluster, []);
            Ask(TypeUrls.Listener, []);
        }

        public StateServerSession Server { get; } = new();

        public List<DiscoveryResponse> Log { get; } = [];

        public ProxyPlan Plan => PlanDecoder.Assemble(_parts.SelectMany(p => p.Value)
            .Where(p => p is not EndpointsPlan e || _names[TypeUrls.Endpoints].Contains(e.Cluster)));

        public void Settle()
        {
            for (var i = 0; i < 10_000; i++)
            {
                if (!Step())
                {
                    return;
                }
            }

            Assert.Fail("the session never comes to rest");
        }

        public bool Step()
        {
            if (_up.TryDequeue(out var request))
            {
                Assert.Null(Server.Receive(request));
                return true;
            }

            if (Server.Next() is not { } response)
            {
                return false;
            }

            Log.Add(response);
            var parts = response.Resources.Select(r => Decode(r.TypeUrl, r.Value)).ToList();
            _parts[response.TypeUrl] = parts;
            _nonces[response.TypeUrl] = response.Nonce;
            if (response.TypeUrl == TypeUrls.Cluster)
            {
                Ask(TypeUrls.Endpoints, [.. parts.Cast<ClusterPlan>().Select(c => c.Name)]);
            }
            else if (response.TypeUrl == TypeUrls.Listener)
            {
                Ask(TypeUrls.RouteTable, [.. parts.Cast<ListenerPlan>().SelectMany(l => l.Chains).Select(c => c.Http!.RouteTable)]);
            }

            Ask(response.TypeUrl, _names[response.TypeUrl]);
            return true;
        }

        private void Ask(string typeUrl, string[] names)
        {
            _names[typeUrl] = names;
            var request = new DiscoveryRequest { TypeUrl = typeUrl, ResponseNonce = _nonces.GetValueOrDefault(typeUrl, "") };
            request.ResourceNames.AddRange(names);
            _up.Enqueue(request);
        }

        private static object Decode(string typeUrl, Google.Protobuf.ByteString body)
        {
            var name = typeUrl switch
            {
                TypeUrls.Cluster => Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(body).Name,
                TypeUrls.Listener => Envoy.Config.Listener.V3.Listener.Parser.ParseFrom(body).Name,
                TypeUrls.RouteTable => Envoy.Config.Route.V3.RouteConfiguration.Parser.ParseFrom(body).Name,
                _ => Envoy.Config.Endpoint.V3.ClusterLoadAssignment.Parser.ParseFrom(body).ClusterName,
            };
            return PlanDecoder.Decode(typeUrl, name, body).Part!;
        }
    }
}

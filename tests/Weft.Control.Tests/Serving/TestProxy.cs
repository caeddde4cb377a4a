// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using Envoy.Service.Discovery.V3;
using Weft.Wire;
using Weft.Wire.Ads;

namespace Weft.Control.Tests.Serving;

/// <summary>A proxy's delta stream: real client state machine, test transport.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private readonly GrpcTestClient _client;
    private readonly GrpcTestClient.Outgoing _outgoing = new();
    private readonly CancellationTokenSource _stop = new(TimeSpan.FromSeconds(60));
    private HttpResponseMessage _response = null!;
    private Stream _incoming = null!;

    private TestProxy(string socket, DeltaClientSession session)
    {
        _client = new GrpcTestClient(socket);
        Session = session;
    }

    public DeltaClientSession Session { get; }

    /// <summary>Set to refuse everything of a type with this message.</summary>
    public (string TypeUrl, string Reason)? Refuse { get; set; }

    public static async Task<TestProxy> ConnectAsync(string socket, string pod = "web-1", string ns = "shop", DeltaClientSession? session = null, string? token = null, string type = "sidecar", string address = "10.0.0.9", string group = "")
    {
        var node = NodeMessage.Create(
            $"{type}~{address}~{pod}.{ns}~{ns}.svc.cluster.local", pod,
            [KeyValuePair.Create("namespace", ns), KeyValuePair.Create("clusterId", "Kubernetes"), .. group.Length > 0 ? [KeyValuePair.Create("AUTO_REGISTER_GROUP", group)] : Array.Empty<KeyValuePair<string, string>>()]);
        var proxy = new TestProxy(socket, session ?? new DeltaClientSession(node));
        foreach (var request in proxy.Session.Connect())
        {
            proxy._outgoing.Send(request);
        }

        proxy._response = await proxy._client.SendAsync(
            "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources", token ?? $"{ns}/web/{pod}", proxy._outgoing, proxy._stop.Token);
        proxy._incoming = await proxy._response.Content.ReadAsStreamAsync(proxy._stop.Token);
        return proxy;
    }

    public async Task<DeltaDiscoveryResponse?> ReceiveAsync()
    {
        var prefix = new byte[5];
        if (await _incoming.ReadAtLeastAsync(prefix, 5, false, _stop.Token) < 5)
        {
            return null;
        }

        var body = new byte[BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1))];
        await _incoming.ReadExactlyAsync(body, _stop.Token);
        var response = DeltaDiscoveryResponse.Parser.ParseFrom(body);
        if (Refuse is { } refusal && refusal.TypeUrl == response.TypeUrl)
        {
            _outgoing.Send(new DeltaDiscoveryRequest
            {
                TypeUrl = response.TypeUrl,
                ResponseNonce = response.Nonce,
                ErrorDetail = new Google.Rpc.Status { Code = 3, Message = refusal.Reason },
            });
            return response;
        }

        foreach (var request in Session.Receive(response))
        {
            _outgoing.Send(request);
        }

        return response;
    }

    /// <summary>Receives until there is a complete plan that satisfies.</summary>
    public async Task UntilAsync(Func<DeltaClientSession, bool> condition)
    {
        while (!condition(Session))
        {
            Assert.NotNull(await ReceiveAsync());
        }
    }

    public (string Status, string Message) Status => GrpcTestClient.StatusOf(_response);

    public int WeightOf(string cluster) => Session.Plan?.RouteTables
        .SelectMany(table => table.VirtualHosts).SelectMany(host => host.Routes)
        .SelectMany(route => route.Forward?.Clusters ?? []).FirstOrDefault(target => target.Cluster == cluster)?.Weight ?? -1;

    public string[] Names(string typeUrl) => typeUrl switch
    {
        TypeUrls.Cluster => [.. (Session.Plan?.Clusters ?? []).Select(cluster => cluster.Name)],
        TypeUrls.Listener => [.. (Session.Plan?.Listeners ?? []).Select(listener => listener.Name)],
        _ => [],
    };

    public async ValueTask DisposeAsync()
    {
        _outgoing.Complete();
        await _stop.CancelAsync();
        _response?.Dispose();
        _client.Dispose();
        _stop.Dispose();
    }
}

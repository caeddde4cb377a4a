// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Xunit;

namespace Weft.Wire.Tests.Ads;

/// <summary>Two sessions and the messages on their way between them.</summary>
internal sealed class Wire
{
    private const int MostSteps = 100_000;

    private readonly Queue<DeltaDiscoveryRequest> _up = new();
    private readonly Queue<DeltaDiscoveryResponse> _down = new();

    public DeltaServerSession Server { get; private set; } = new();

    public DeltaClientSession Client { get; } = new(new Node { Id = "sidecar~10.0.0.1~a.b~b.svc.cluster.local" });

    public List<DeltaDiscoveryResponse> Log { get; } = [];

    public void Open() => Enqueue(Client.Connect());

    /// <summary>The stream breaks, what was on its way is lost, a new server session serves the client.</summary>
    public void Reconnect()
    {
        _up.Clear();
        _down.Clear();
        Server = new DeltaServerSession();
        Open();
    }

    /// <summary>Moves one message, up or down; false if there was none.</summary>
    public bool Step(bool up)
    {
        if (up && _up.TryDequeue(out var request))
        {
            Assert.Null(Server.Receive(request.Clone()));
            return true;
        }

        if (Server.Next() is { } response)
        {
            Log.Add(response);
            _down.Enqueue(response);
        }

        if (!_down.TryDequeue(out var next))
        {
            return false;
        }

        Enqueue(Client.Receive(next.Clone()));
        return true;
    }

    public void Settle(Action<ProxyPlan>? check = null)
    {
        for (var i = 0; i < MostSteps; i++)
        {
            if (!Step(up: true) && !Step(up: false))
            {
                return;
            }

            if (check is not null && Client.Plan is { } plan)
            {
                check(plan);
            }
        }

        Assert.Fail("the sessions never come to rest");
    }

    private void Enqueue(IReadOnlyList<DeltaDiscoveryRequest> requests)
    {
        foreach (var request in requests)
        {
            _up.Enqueue(request);
        }
    }
}

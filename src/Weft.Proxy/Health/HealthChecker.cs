// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Balancing;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Health;

/// <summary>
/// Asks the endpoints of one cluster whether they live, on one loop for all, and keeps those out that do not answer well.
/// </summary>
/// <remarks>
/// Until the first endpoint of the cluster has passed, all are used as if nothing were asked: refusing everything because nothing is known
/// would be worse (Envoy holds the whole cluster back meanwhile). From then on a newcomer is out until it has passed once.
/// </remarks>
internal sealed class HealthChecker(LoopCluster cluster, EventLoop loop, Connector connector, Random random)
{
    /// <summary>First questions are spread so that this many begin in a millisecond at most, over an interval at most.</summary>
    private const int FirstPerMs = 1;

    private readonly Dictionary<EndpointHealth, HealthProbe> _probes = [];
    private byte[] _httpRequest = [];
    private bool _isOn;
    private bool _anyPassed;

    internal EventLoop Loop => loop;

    internal Random Random => random;

    internal HealthCheckPlan Plan { get; private set; } = null!;

    private string Host => Plan.Host.Length > 0 ? Plan.Host : cluster.Plan.Service?.Host ?? cluster.Plan.Name;

    /// <summary>Takes over what the plan says of checks and endpoints; null ends all checks and forgets their results.</summary>
    internal void Update(HealthCheckPlan? plan)
    {
        if (plan is null && !_isOn)
        {
            return;
        }

        var health = cluster.Shared.Health;
        var isOther = !_isOn || plan != Plan;
        _isOn = plan is not null;
        foreach (var (endpoint, probe) in _probes.ToArray())
        {
            if (isOther || plan is null || !ReferenceEquals(health.Find(endpoint.Address), endpoint))
            {
                probe.Stop();
                _probes.Remove(endpoint);
            }
        }

        if (plan is null)
        {
            Forget();
            return;
        }

        Plan = plan;
        _httpRequest = HttpQuestion.For(plan.Path, Host);
        var delay = 0;
        foreach (var endpoint in health.All)
        {
            if (_probes.ContainsKey(endpoint))
            {
                continue;
            }

            Expect(endpoint, isOther);
            var probe = new HealthProbe(this, endpoint);
            _probes.Add(endpoint, probe);
            probe.Start(delay++ / FirstPerMs % Math.Max(1, plan.IntervalMs));
        }
    }

    /// <summary>Begins to connect as requests would, but for the port where the plan names another.</summary>
    internal ByteChannel? Open(EndpointHealth endpoint, IByteHandler handler)
    {
        var address = Plan.Port > 0 ? endpoint.Address.WithPort(Plan.Port) : endpoint.Address;
        var protocol = Plan.Kind switch
        {
            HealthCheckKind.Http => WireProtocol.Http1,
            HealthCheckKind.Grpc => WireProtocol.Http2,
            _ => WireProtocol.Opaque,
        };
        var target = cluster.TargetFor(address, endpoint.Plan.Meshed, protocol);
        return connector.Open(target, handler, out _);
    }

    /// <summary>What to ask on a new connection; null where the connection itself is the answer.</summary>
    internal HealthQuestion? NewQuestion() => Plan.Kind switch
    {
        HealthCheckKind.Http => new HttpQuestion(_httpRequest),
        HealthCheckKind.Grpc => new GrpcQuestion(Plan.Path, Host),
        _ => null,
    };

    internal void Asked() => cluster.Usage.Add(ClusterFigure.ChecksAsked);

    /// <summary>The result of one check, and how many of that kind there were in a row.</summary>
    internal void Answered(EndpointHealth endpoint, bool passed, int inRow)
    {
        cluster.Usage.Add(passed ? ClusterFigure.ChecksPassed : ClusterFigure.ChecksFailed);
        var isFirst = endpoint.Clear(HealthFlags.Unchecked);
        if (passed)
        {
            if (!_anyPassed)
            {
                _anyPassed = true;
                DoubtTheUnchecked();
            }

            if ((isFirst || inRow >= Plan.HealthyThreshold) && endpoint.Clear(HealthFlags.FailedActiveCheck) && !isFirst)
            {
                Tell(endpoint, "passes its health checks again");
            }

            cluster.Shared.Outliers.OnCheckPassed(endpoint);
        }
        else if ((isFirst || inRow >= Plan.UnhealthyThreshold) && endpoint.Set(HealthFlags.FailedActiveCheck))
        {
            Tell(endpoint, "fails its health checks");
        }

        cluster.Shared.Health.Changed();
    }

    private void Tell(EndpointHealth endpoint, string what) =>
        cluster.Shared.Tell?.Invoke($"endpoint {endpoint.Address} of cluster '{cluster.Plan.Name}' {what}");

    private void Expect(EndpointHealth endpoint, bool keepsVerdict)
    {
        // Who is asked otherwise than before keeps the old verdict until there is a new one.
        if (keepsVerdict && _anyPassed && !endpoint.IsUnchecked)
        {
            return;
        }

        endpoint.Set(_anyPassed ? HealthFlags.Unchecked | HealthFlags.FailedActiveCheck : HealthFlags.Unchecked);
        cluster.Shared.Health.Changed();
    }

    private void DoubtTheUnchecked()
    {
        foreach (var endpoint in _probes.Keys)
        {
            if (endpoint.IsUnchecked)
            {
                endpoint.Set(HealthFlags.FailedActiveCheck);
            }
        }
    }

    private void Forget()
    {
        _anyPassed = false;
        foreach (var endpoint in cluster.Shared.Health.All)
        {
            if (endpoint.Clear(HealthFlags.Unchecked | HealthFlags.FailedActiveCheck))
            {
                cluster.Shared.Health.Changed();
            }
        }
    }
}

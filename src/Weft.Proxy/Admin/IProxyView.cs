// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Control;
using Weft.Proxy.Life;

namespace Weft.Proxy.Admin;

/// <summary>What the admin pages show of a running proxy. Called on admin threads.</summary>
internal interface IProxyView
{
    /// <summary>Null when traffic is served; else the reason it is not (no plan yet, no certificate yet, draining).</summary>
    string? NotReady { get; }

    ProxyPlan Plan { get; }

    WorkloadIdentity? Identity { get; }

    DateTimeOffset StartedAt { get; }

    /// <summary>Prometheus text of every metric.</summary>
    string Metrics();

    /// <summary>Lines of Envoy's /clusters: one figure of one endpoint each.</summary>
    string Clusters();

    /// <summary>The plan, the bootstrap and the certificates as JSON in the shape of Envoy's /config_dump.</summary>
    byte[] ConfigDump();

    /// <summary>True once clients are asked to leave.</summary>
    bool IsDraining { get; }

    /// <summary>
    /// Asks the connections of the directions to end and stops taking new ones: at once, or where <paramref name="graceful"/> after the drain time.
    /// </summary>
    void DrainListeners(DrainScope scope, bool graceful);

    /// <summary>False answers probes with 503 and asks clients to leave, true takes that back.</summary>
    void SetHealth(bool good);

    /// <summary>Drains, then ends the process; the second time ends it at once.</summary>
    void Quit();
}

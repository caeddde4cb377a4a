// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Control;

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

    /// <summary>Stops taking new connections; open ones may finish.</summary>
    void Drain();

    /// <summary>Drains, then ends the process.</summary>
    void Quit();
}

// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local.Agent;

/// <summary>Runs a container's probes in the kubelet's order: the startup probe alone, then readiness and liveness side by side.</summary>
internal sealed class ContainerProbes(ContainerSpec spec, ProbeCall call, TimeProvider time)
{
    /// <summary>Reports every attempt that counts; a probe that the container does not have is reported once, with nothing, as passed.</summary>
    public async Task RunAsync(Action<(ProbeKind Kind, ProbeReport? Report, TimeSpan? Grace)> report, CancellationToken ct)
    {
        await RunAsync(ProbeKind.Startup, report, ct);
        await Task.WhenAll(RunAsync(ProbeKind.Readiness, report, ct), RunAsync(ProbeKind.Liveness, report, ct));
    }

    private async Task RunAsync(ProbeKind kind, Action<(ProbeKind Kind, ProbeReport? Report, TimeSpan? Grace)> report, CancellationToken ct)
    {
        if (Probe.Parse(spec, kind) is { } probe)
        {
            await new Prober(probe, call, time).RunAsync(found => report((kind, found, probe.Grace)), ct);
        }
        else
        {
            report((kind, null, null));
        }
    }
}

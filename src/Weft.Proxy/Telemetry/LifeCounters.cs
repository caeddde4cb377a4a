// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>What happened to one loop itself rather than to its requests. The loop adds; anybody may read at any time.</summary>
internal sealed class LifeCounters
{
    private long _acceptFailures;

    /// <summary>Times that the system had no descriptor or memory for a waiting connection.</summary>
    public long AcceptFailures => Volatile.Read(ref _acceptFailures);

    public void CountAcceptFailure() => Volatile.Write(ref _acceptFailures, _acceptFailures + 1);
}

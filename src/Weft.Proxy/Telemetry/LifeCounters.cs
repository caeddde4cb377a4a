// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Telemetry;

/// <summary>What happened to one loop itself rather than to its requests. The loop adds; anybody may read at any time.</summary>
internal sealed class LifeCounters
{
    private long _acceptFailures;
    private long _refused;
    private long _idleClosed;

    /// <summary>Times that the system had no descriptor or memory for a waiting connection.</summary>
    public long AcceptFailures => Volatile.Read(ref _acceptFailures);

    /// <summary>Requests that were refused because the proxy was overloaded.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Idle connections that were closed because the proxy was overloaded.</summary>
    public long IdleClosed => Volatile.Read(ref _idleClosed);

    public void CountRefused() => Volatile.Write(ref _refused, _refused + 1);

    public void CountIdleClosed(int connections) => Volatile.Write(ref _idleClosed, _idleClosed + connections);

    public void CountAcceptFailure() => Volatile.Write(ref _acceptFailures, _acceptFailures + 1);
}

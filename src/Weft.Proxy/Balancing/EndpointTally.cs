// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Balancing;

/// <summary>What one loop has counted of one endpoint. Only the loop writes; whoever reads sees values that are a little old at worst.</summary>
internal sealed class EndpointTally
{
    private long _answers;
    private long _failures;
    private long _localTries;
    private long _localFailures;
    private long _timeouts;
    private long _connections;
    private long _connectionsOpened;
    private long _connectFailures;
    private long _active;

    /// <summary>Outcomes that count against the server: answers, and local failures where these are not split off.</summary>
    internal long Answers => Volatile.Read(ref _answers);

    /// <summary>Those of <see cref="Answers"/> that were 5xx or failed.</summary>
    internal long Failures => Volatile.Read(ref _failures);

    /// <summary>Attempts to reach it, where local failures are split off.</summary>
    internal long LocalTries => Volatile.Read(ref _localTries);

    internal long LocalFailures => Volatile.Read(ref _localFailures);

    internal long Timeouts => Volatile.Read(ref _timeouts);

    /// <summary>Open now.</summary>
    internal long Connections => Volatile.Read(ref _connections);

    internal long ConnectionsOpened => Volatile.Read(ref _connectionsOpened);

    internal long ConnectFailures => Volatile.Read(ref _connectFailures);

    /// <summary>Requests under way.</summary>
    internal long Active => Volatile.Read(ref _active);

    internal void AddAnswer(bool failed)
    {
        Volatile.Write(ref _answers, _answers + 1);
        if (failed)
        {
            Volatile.Write(ref _failures, _failures + 1);
        }
    }

    internal void AddLocal(bool failed)
    {
        Volatile.Write(ref _localTries, _localTries + 1);
        if (failed)
        {
            Volatile.Write(ref _localFailures, _localFailures + 1);
        }
    }

    internal void AddTimeout() => Volatile.Write(ref _timeouts, _timeouts + 1);

    internal void AddConnectFailure() => Volatile.Write(ref _connectFailures, _connectFailures + 1);

    internal void AddConnections(int change) => Volatile.Write(ref _connections, _connections + change);

    internal void AddOpened(int count) => Volatile.Write(ref _connectionsOpened, _connectionsOpened + count);

    internal void AddActive(int change) => Volatile.Write(ref _active, _active + change);
}

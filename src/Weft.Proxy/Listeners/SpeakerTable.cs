// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;

namespace Weft.Proxy.Listeners;

/// <summary>
/// What one loop has learned of destinations whose protocol is not declared: it only decides when a server is connected to, never how a
/// connection is understood.
/// </summary>
internal sealed class SpeakerTable
{
    /// <summary>Destinations that are remembered; above this all are forgotten and learned anew.</summary>
    internal const int Limit = 4096;

    private readonly Dictionary<IpEndpoint, Speaker> _known = [];

    internal int Count => _known.Count;

    internal Speaker Of(IpEndpoint destination) => _known.GetValueOrDefault(destination);

    internal void Learn(IpEndpoint destination, Speaker speaker)
    {
        if (_known.Count >= Limit && !_known.ContainsKey(destination))
        {
            _known.Clear();
        }

        _known[destination] = speaker;
    }

    internal void Forget(IpEndpoint destination) => _known.Remove(destination);
}

/// <summary>Who speaks first at a destination.</summary>
internal enum Speaker
{
    Unknown,
    Client,
    Server,
}

// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Weft.Control.Serving;

/// <summary>The proxies that are connected.</summary>
internal sealed class ProxyTable(int maxStreams)
{
    private readonly ConcurrentDictionary<ProxyStream, bool> _streams = new();
    private readonly Channel<ProxyStream> _arrivals = Channel.CreateUnbounded<ProxyStream>();

    /// <summary>Streams that wait for their first plan.</summary>
    public ChannelReader<ProxyStream> Arrivals => _arrivals.Reader;

    public IReadOnlyCollection<ProxyStream> Streams => (IReadOnlyCollection<ProxyStream>)_streams.Keys;

    public int Count => _streams.Count;

    /// <summary>One status a proxy, by name; of two streams of a proxy (an old one may be dying) the newest.</summary>
    public IReadOnlyList<ProxyStatus> Statuses =>
    [
        .. _streams.Keys.Select(stream => stream.Status)
            .GroupBy(status => status.NodeId)
            .Select(group => group.MaxBy(status => status.ConnectedAt)!)
            .OrderBy(status => status.Name, StringComparer.Ordinal),
    ];

    public ProxyStream? Find(string nameOrNodeId) => _streams.Keys
        .Where(stream => stream.Peer.Node.ProxyName == nameOrNodeId || stream.Status.NodeId == nameOrNodeId)
        .MaxBy(stream => stream.Status.ConnectedAt);

    public void Add(ProxyStream stream)
    {
        if (_streams.Count >= maxStreams)
        {
            throw new GrpcRefusalException(
                GrpcStatusCode.ResourceExhausted,
                $"{maxStreams} proxies are connected; that is the limit ({nameof(ServingLimits)}.{nameof(ServingLimits.MaxStreams)}).");
        }

        _streams[stream] = true;
        _arrivals.Writer.TryWrite(stream);
    }

    public void Remove(ProxyStream stream) => _streams.TryRemove(stream, out _);
}

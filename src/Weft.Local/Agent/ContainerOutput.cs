// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Weft.Local.Agent;

/// <summary>What a container prints, for those who attach to it while it runs.</summary>
internal sealed class ContainerOutput
{
    /// <summary>Pieces that wait for a listener; a slower one loses the oldest, as it must not hold the container up.</summary>
    public const int MaxWaiting = 256;

    private readonly ConcurrentDictionary<Channel<(bool IsErrors, byte[] Bytes)>, bool> _listeners = new();
    private volatile bool _ended;

    /// <summary>Everything from now on, until the container ends or <see cref="Leave"/>.</summary>
    public Channel<(bool IsErrors, byte[] Bytes)> Listen()
    {
        var listener = Channel.CreateBounded<(bool IsErrors, byte[] Bytes)>(
            new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest });
        _listeners[listener] = true;
        if (_ended)
        {
            listener.Writer.TryComplete();
        }

        return listener;
    }

    public void Leave(Channel<(bool IsErrors, byte[] Bytes)> listener) => _listeners.TryRemove(listener, out _);

    public void Write(bool isErrors, ReadOnlySpan<byte> bytes)
    {
        if (_listeners.IsEmpty)
        {
            return;
        }

        var copy = bytes.ToArray();
        foreach (var listener in _listeners.Keys)
        {
            listener.Writer.TryWrite((isErrors, copy));
        }
    }

    public void End()
    {
        _ended = true;
        foreach (var listener in _listeners.Keys)
        {
            listener.Writer.TryComplete();
        }
    }
}

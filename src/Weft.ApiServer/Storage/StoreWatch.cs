// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Weft.ApiServer.Storage;

/// <summary>A reader of committed changes, in order and without gaps, until it is disposed or falls too far behind.</summary>
public sealed class StoreWatch : IDisposable
{
    private readonly ObjectStore _store;
    private readonly Channel<StoreChange> _channel;
    private readonly Queue<StoreChange> _replay;
    private readonly CancellationTokenSource _behind = new();

    internal StoreWatch(ObjectStore store, string? resource, IEnumerable<StoreChange> replay, int buffer)
    {
        _store = store;
        Resource = resource;
        _replay = new Queue<StoreChange>(replay);
        _channel = Channel.CreateBounded<StoreChange>(
            new BoundedChannelOptions(buffer) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>The resource watched, or null for every one.</summary>
    public string? Resource { get; }

    /// <summary>True when the reader was cut off because it was too slow; what it has not read is lost to it.</summary>
    public bool FellBehind { get; private set; }

    /// <summary>Cancelled when the reader was cut off.</summary>
    public CancellationToken Behind => _behind.Token;

    /// <summary>The next change if one is ready.</summary>
    public bool TryRead([NotNullWhen(true)] out StoreChange? change) =>
        _replay.TryDequeue(out change) || _channel.Reader.TryRead(out change);

    /// <summary>Completes with false when no change will ever come again.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        _replay.Count > 0 ? ValueTask.FromResult(true) : _channel.Reader.WaitToReadAsync(cancellationToken);

    public void Dispose()
    {
        _store.Forget(this);
        _channel.Writer.TryComplete();
    }

    /// <summary>Called by the store under its lock; false means that the watch is over.</summary>
    internal bool Offer(StoreChange change)
    {
        if (_channel.Writer.TryWrite(change))
        {
            return true;
        }

        FellBehind = true;
        _channel.Writer.TryComplete();

        // Not under the store's lock: whoever hears of it may do anything.
        _ = _behind.CancelAsync();
        return false;
    }

    internal void Complete() => _channel.Writer.TryComplete();
}

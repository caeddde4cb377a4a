// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;

namespace Weft.Local.Controllers;

/// <summary>
/// Keys to look at. A key that waits is there once; a key that is added while it is worked on comes again afterwards, so that no
/// change is missed and no two workers have the same object.
/// </summary>
/// <remarks>When it is full, <see cref="Add"/> says no and the owner has to look at everything again.</remarks>
internal sealed class WorkQueue(int limit)
{
    public const int DefaultLimit = 65_536;

    private readonly Lock _turn = new();
    private readonly HashSet<ObjectKey> _waiting = [];
    private readonly HashSet<ObjectKey> _working = [];
    private readonly Channel<ObjectKey> _order = Channel.CreateUnbounded<ObjectKey>(new UnboundedChannelOptions { SingleReader = false });

    public int Count
    {
        get
        {
            lock (_turn)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>False if the queue is full: the key was not taken.</summary>
    public bool Add(ObjectKey key)
    {
        lock (_turn)
        {
            if (_waiting.Contains(key))
            {
                return true;
            }

            if (_waiting.Count >= limit)
            {
                return false;
            }

            _waiting.Add(key);
            if (!_working.Contains(key))
            {
                _order.Writer.TryWrite(key);
            }

            return true;
        }
    }

    /// <summary>The next key; <see cref="Done"/> gives it back.</summary>
    public async ValueTask<ObjectKey> TakeAsync(CancellationToken ct)
    {
        var key = await _order.Reader.ReadAsync(ct);
        lock (_turn)
        {
            _waiting.Remove(key);
            _working.Add(key);
        }

        return key;
    }

    public void Done(ObjectKey key)
    {
        lock (_turn)
        {
            _working.Remove(key);
            if (_waiting.Contains(key))
            {
                _order.Writer.TryWrite(key);
            }
        }
    }
}

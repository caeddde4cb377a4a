// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Stacks;

namespace Weft.Proxy.Upstreams;

/// <summary>Tries that wait for a connection of one pool, first come first served. Standing in it costs no allocation.</summary>
internal sealed class WaitingLine
{
    private UpstreamTry? _last;

    internal UpstreamTry? First { get; private set; }

    internal bool IsEmpty => First is null;

    internal void Add(UpstreamTry waiting)
    {
        waiting.PreviousInLine = _last;
        waiting.NextInLine = null;
        if (_last is null)
        {
            First = waiting;
        }
        else
        {
            _last.NextInLine = waiting;
        }

        _last = waiting;
    }

    internal void Remove(UpstreamTry waiting)
    {
        var (previous, next) = (waiting.PreviousInLine, waiting.NextInLine);
        if (previous is null)
        {
            First = next;
        }
        else
        {
            previous.NextInLine = next;
        }

        if (next is null)
        {
            _last = previous;
        }
        else
        {
            next.PreviousInLine = previous;
        }

        waiting.PreviousInLine = waiting.NextInLine = null;
    }
}

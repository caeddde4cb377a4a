// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <summary>
/// The last streams that we reset: what the peer sent on them before it knew is not its fault (RFC 9113 section 5.1, "closed"). Older ones
/// are forgotten.
/// </summary>
internal sealed class ResetMemory
{
    /// <summary>How many are remembered; more than a peer can have open at once by default.</summary>
    internal const int Most = 256;

    private int[] _ids = [];
    private int _next;

    internal bool Contains(int id) => _ids.AsSpan().Contains(id);

    internal void Add(int id)
    {
        if (_next == _ids.Length)
        {
            if (_ids.Length < Most)
            {
                Array.Resize(ref _ids, Math.Max(8, _ids.Length * 2));
            }
            else
            {
                _next = 0;
            }
        }

        _ids[_next++] = id;
    }
}

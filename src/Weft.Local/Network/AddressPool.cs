// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace Weft.Local.Network;

/// <summary>
/// Hands out pod addresses in turn. One given back is not handed out again for a while: clients and conntrack entries that
/// still believe in the old pod must not reach a new one.
/// </summary>
internal sealed class AddressPool(TimeProvider time, NodePlace node, int limit = AddressPool.DefaultLimit)
{
    /// <summary>How many pods one node runs at most.</summary>
    public const int DefaultLimit = 250;

    /// <summary>A node's range without its own address and the two ends.</summary>
    private const uint Addresses = 4096 - 3;

    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(60);

    private readonly Lock _changing = new();
    private readonly HashSet<uint> _used = [];
    private readonly Dictionary<uint, long> _resting = [];
    private readonly uint _first = ToNumber(node.Address) + 1;
    private uint _next = ToNumber(node.Address) + 1;

    /// <summary>Takes an address; throws when the node is full.</summary>
    public IPAddress Rent()
    {
        lock (_changing)
        {
            if (_used.Count >= limit)
            {
                throw new InvalidOperationException($"Node {node.Name} already runs {limit} pods, which is its limit.");
            }

            for (var tried = 0; tried < Addresses; tried++)
            {
                var candidate = _next;
                _next = _next == _first + Addresses - 1 ? _first : _next + 1;
                if (!_used.Contains(candidate) && !Rests(candidate))
                {
                    _used.Add(candidate);
                    return ToAddress(candidate);
                }
            }
        }

        throw new InvalidOperationException("Every pod address is in use or was until a moment ago.");
    }

    /// <summary>Gives an address back.</summary>
    public void Return(IPAddress address)
    {
        lock (_changing)
        {
            var value = ToNumber(address);
            if (_used.Remove(value))
            {
                _resting[value] = time.GetTimestamp();
            }
        }
    }

    private bool Rests(uint address)
    {
        if (!_resting.TryGetValue(address, out var since))
        {
            return false;
        }

        if (time.GetElapsedTime(since) < _rest)
        {
            return true;
        }

        _resting.Remove(address);
        return false;
    }

    private static IPAddress ToAddress(uint value) =>
        new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);

    private static uint ToNumber(IPAddress address)
    {
        var b = address.GetAddressBytes();
        return ((uint)b[0] << 24) | ((uint)b[1] << 16) | ((uint)b[2] << 8) | b[3];
    }
}

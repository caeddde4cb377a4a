// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;

namespace Weft.Local.Network;

/// <summary>One node of this machine: its name, its bridge and its part of the pods' addresses.</summary>
/// <param name="Number">From 0; the first has the control plane.</param>
/// <param name="Zone">The topology zone, <c>region/zone</c> or a zone alone; null for none.</param>
public sealed record NodePlace(string Name, int Number, string? Zone = null)
{
    /// <summary>More nodes than this on one machine are refused.</summary>
    public const int MaxNodes = 16;

    /// <summary>The name of the first node, and the beginning of the others'.</summary>
    public const string FirstName = "weft";

    public string Bridge => string.Create(CultureInfo.InvariantCulture, $"weft{Number}");

    /// <summary>The gateway of its pods, and its own address.</summary>
    public IPAddress Address => new([10, 244, (byte)(Number * 16), 1]);

    /// <summary>Its pods have addresses of version 6 beside those of version 4.</summary>
    public bool HasVersion6 { get; init; }

    /// <summary><see cref="Address"/> of version 6; null where there is none.</summary>
    public IPAddress? Address6 => HasVersion6 ? InRange6(1) : null;

    /// <summary><see cref="PodRange"/> of version 6.</summary>
    public string PodRange6 => new IPNetwork(InRange6(0), 64).ToString();

    /// <summary>The ranges of its pods, the first family first.</summary>
    public IReadOnlyList<string> PodRanges => HasVersion6 ? [PodRange, PodRange6] : [PodRange];

    /// <summary>Its addresses, the first family first.</summary>
    public IReadOnlyList<string> Addresses => Address6 is { } six ? [Address.ToString(), six.ToString()] : [Address.ToString()];

    /// <summary>Its pods; a node's ranges never overlap.</summary>
    public string PodRange => string.Create(CultureInfo.InvariantCulture, $"10.244.{Number * 16}.0/20");

    /// <summary>
    /// The bridge's link address. Without one of its own a bridge takes the lowest of its ports', which changes while pods come and go;
    /// pods that had learned the old one would talk to nobody for half a minute.
    /// </summary>
    public string LinkAddress => string.Create(CultureInfo.InvariantCulture, $"02:57:45:46:54:{Number + 1:x2}");

    public string? Region => Zone?.Split('/') is [var region, _] ? region : null;

    public string? ZoneName => Zone?.Split('/')[^1];

    /// <summary>True on a machine that joined: others know of it what it tells the API, and the API calls its agent by a port.</summary>
    public bool Joined { get; init; }

    /// <summary>The node that was given a range; throws <see cref="FormatException"/> for a range that is none of these.</summary>
    public static NodePlace Of(string name, string range, string? zone) =>
        Enumerable.Range(0, MaxNodes).Select(number => new NodePlace(name, number, zone)).FirstOrDefault(place => place.PodRange == range)
        ?? throw new FormatException($"Node '{name}' has the pod addresses '{range}', which are none of this mesh.");

    /// <summary>The address of version 6 of the pod that has an address of version 4: its place in the node's range is the same.</summary>
    public IPAddress? Pair(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var bytes = address.GetAddressBytes();
        return HasVersion6 ? InRange6((ushort)(((bytes[2] << 8) | bytes[3]) & 0xfff)) : null;
    }

    /// <summary>Nodes <c>weft</c>, <c>weft-2</c>, …; zones go round when there are fewer of them.</summary>
    public static IReadOnlyList<NodePlace> Plan(int count, IReadOnlyList<string> zones, bool hasVersion6 = false) =>
        [.. Enumerable.Range(0, count).Select(i => new NodePlace(
            i == 0 ? FirstName : string.Create(CultureInfo.InvariantCulture, $"{FirstName}-{i + 1}"), i, zones.Count == 0 ? null : zones[i % zones.Count])
        {
            HasVersion6 = hasVersion6,
        })];

    private IPAddress InRange6(ushort place)
    {
        var bytes = IPNetwork.Parse(NodeNetwork.PodRange6).BaseAddress.GetAddressBytes();
        (bytes[7], bytes[14], bytes[15]) = ((byte)Number, (byte)(place >> 8), (byte)place);
        return new IPAddress(bytes);
    }
}

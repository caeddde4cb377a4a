// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Defaults;

/// <summary>
/// Gives services their cluster addresses and node ports. What is taken is read from the stored services, so that nothing can
/// leak; the caller serializes calls and the write that follows.
/// </summary>
/// <param name="store">What is taken.</param>
/// <param name="services">How errors call the resource.</param>
/// <param name="networks">One for each family that the cluster has, the usual one first.</param>
internal sealed class AddressAllocator(ObjectStore store, ResourceDefinition services, IReadOnlyList<IPNetwork> networks)
{
    private const int FirstNodePort = 30_000;
    private const int LastNodePort = 32_767;

    /// <summary>The lowest addresses are left for fixed services such as DNS.</summary>
    private const int ReservedAddresses = 16;

    /// <summary>Of a network that has more.</summary>
    private const int MaxAddresses = 1 << 16;

    private readonly ServiceFamilies _families = new(services, networks);

    public void Allocate(JsonObject service, JsonObject? old)
    {
        var spec = service.Child("spec");
        var name = service.At("metadata", "name").Text() ?? "";
        var taken = store.Snapshot("services").Objects.Values
            .Where(item => item.Key != new ObjectKey(service.At("metadata", "namespace").Text() ?? "", name))
            .Select(item => item.Parse()["spec"] as JsonObject ?? []).ToList();
        AllocateAddresses(spec, old?["spec"] as JsonObject, name, taken);
        AllocatePorts(spec, old?["spec"] as JsonObject, name, taken);
    }

    private void AllocateAddresses(JsonObject spec, JsonObject? old, string name, List<JsonObject> taken)
    {
        if (spec.Text("type") is "ExternalName")
        {
            foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
            {
                spec.Remove(field);
            }

            return;
        }

        _families.Complete(spec, old?.Text("type") is "ExternalName" ? null : old, name);
        var wanted = ServiceFamilies.Texts(spec["clusterIPs"]);
        if (wanted is not ["None"])
        {
            var used = taken.SelectMany(AddressesOf).ToHashSet(StringComparer.Ordinal);
            var kept = old is null ? [] : AddressesOf(old).ToHashSet(StringComparer.Ordinal);
            foreach (var address in wanted.Where(address => !kept.Contains(address)))
            {
                CheckAddress(address, wanted, name, used);
            }

            foreach (var family in ServiceFamilies.Texts(spec["ipFamilies"]).Skip(wanted.Count))
            {
                wanted.Add(Free(NetworkOf(family)!.Value, used));
            }
        }

        spec["clusterIP"] = wanted[0];
        spec["clusterIPs"] = new JsonArray([.. wanted.Select(address => (JsonNode)address)]);
    }

    /// <summary>Older objects have the one field only.</summary>
    private static IEnumerable<string> AddressesOf(JsonObject spec) =>
        ServiceFamilies.Texts(spec["clusterIPs"]) is { Count: > 0 } all ? all : spec.Text("clusterIP") is { Length: > 0 } one ? [one] : [];

    private IPNetwork? NetworkOf(string family) =>
        networks.Cast<IPNetwork?>().FirstOrDefault(network => ServiceFamilies.FamilyOf(network!.Value.BaseAddress) == family);

    private void CheckAddress(string wanted, IReadOnlyList<string> all, string name, HashSet<string> used)
    {
        var address = IPAddress.Parse(wanted);
        if (NetworkOf(ServiceFamilies.FamilyOf(address)) is not { } network || !network.Contains(address))
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid(
                "spec.clusterIPs",
                ServiceFamilyRules.Strings(all),
                $"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {NetworkOf(ServiceFamilies.FamilyOf(address)) ?? networks[0]}")]);
        }

        if (used.Contains(address.ToString()))
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid(
                "spec.clusterIPs", ServiceFamilyRules.Strings(all), $"failed to allocate IP {wanted}: provided IP is already allocated")]);
        }
    }

    private static string Free(IPNetwork network, HashSet<string> used)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        var size = (int)Math.Min(MaxAddresses, Math.Pow(2, (bytes.Length * 8) - network.PrefixLength));
        var first = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(bytes.Length - 4));
        var start = RandomNumberGenerator.GetInt32(ReservedAddresses, size - 1);
        for (var i = 0; i < size; i++)
        {
            var offset = (start + i) % size;
            if (offset < ReservedAddresses || offset == size - 1)
            {
                continue;
            }

            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(bytes.Length - 4), first + (uint)offset);
            var text = new IPAddress(bytes).ToString();
            if (!used.Contains(text))
            {
                return text;
            }
        }

        throw ApiException.Unavailable($"every address of the service network {network} is taken");
    }

    private void AllocatePorts(JsonObject spec, JsonObject? old, string name, List<JsonObject> taken)
    {
        var ports = spec["ports"].Items().ToList();
        if (spec.Text("type") is not ("NodePort" or "LoadBalancer"))
        {
            ports.ForEach(port => port.Remove("nodePort"));
            return;
        }

        var used = taken.SelectMany(item => item["ports"].Items()).Select(port => port.Number("nodePort") ?? 0).ToHashSet();
        var before = (old?["ports"]).Items().Select(port => port.Number("nodePort") ?? 0).ToHashSet();
        for (var i = 0; i < ports.Count; i++)
        {
            var port = ports[i];
            var wanted = port.Number("nodePort") ?? 0;
            if (wanted == 0)
            {
                wanted = KeptPort(port, old, used) ?? FreePort(used);
                port["nodePort"] = wanted;
            }
            else if (!before.Contains(wanted))
            {
                CheckPort(wanted, i, name, used);
            }

            used.Add(wanted);
        }
    }

    private static long? KeptPort(JsonObject port, JsonObject? old, HashSet<long> used)
    {
        var same = (old?["ports"]).Items().FirstOrDefault(item =>
            item.Number("port") == port.Number("port") && string.Equals(item.Text("protocol"), port.Text("protocol"), StringComparison.Ordinal));
        return same?.Number("nodePort") is > 0 and var kept && !used.Contains(kept) ? kept : null;
    }

    private void CheckPort(long wanted, int index, string name, HashSet<long> used)
    {
        var field = $"spec.ports[{index}].nodePort";
        if (wanted is < FirstNodePort or > LastNodePort)
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid(
                field, wanted, $"provided port is not in the valid range. The range of valid ports is {FirstNodePort}-{LastNodePort}")]);
        }

        if (used.Contains(wanted))
        {
            throw ApiException.Invalid(
                services, name, [FieldError.Invalid(field, wanted, "provided port is already allocated")]);
        }
    }

    private static long FreePort(HashSet<long> used)
    {
        const int Count = LastNodePort - FirstNodePort + 1;
        var start = RandomNumberGenerator.GetInt32(Count);
        for (var i = 0; i < Count; i++)
        {
            var port = FirstNodePort + ((start + i) % Count);
            if (!used.Contains(port))
            {
                return port;
            }
        }

        throw ApiException.Unavailable($"every node port from {FirstNodePort} to {LastNodePort} is taken");
    }
}

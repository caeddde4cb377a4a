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
internal sealed class AddressAllocator(ObjectStore store, ResourceDefinition services, IPNetwork network)
{
    private const int FirstNodePort = 30_000;
    private const int LastNodePort = 32_767;

    /// <summary>The lowest addresses are left for fixed services such as DNS.</summary>
    private const int ReservedAddresses = 16;

    public void Allocate(JsonObject service, JsonObject? old)
    {
        var spec = service.Child("spec");
        var name = service.At("metadata", "name").Text() ?? "";
        var taken = store.Snapshot("services").Objects.Values
            .Where(item => item.Key != new ObjectKey(service.At("metadata", "namespace").Text() ?? "", name))
            .Select(item => item.Parse()["spec"] as JsonObject ?? []).ToList();
        AllocateAddress(spec, old?["spec"] as JsonObject, name, taken);
        AllocatePorts(spec, old?["spec"] as JsonObject, name, taken);
    }

    private void AllocateAddress(JsonObject spec, JsonObject? old, string name, List<JsonObject> taken)
    {
        if (spec.Text("type") is "ExternalName")
        {
            spec.Remove("clusterIP");
            spec.Remove("clusterIPs");
            return;
        }

        CheckFamilies(spec, name);
        var wanted = spec.Text("clusterIP");
        if (string.IsNullOrEmpty(wanted) && old?.Text("clusterIP") is { Length: > 0 } kept)
        {
            wanted = kept;
        }

        var used = taken.Select(item => item.Text("clusterIP")).ToHashSet(StringComparer.Ordinal);
        if (string.IsNullOrEmpty(wanted))
        {
            wanted = Free(used);
        }
        else if (wanted is not "None" && !string.Equals(wanted, old?.Text("clusterIP"), StringComparison.Ordinal))
        {
            CheckAddress(wanted, name, used);
        }

        spec["clusterIP"] = wanted;
        spec["clusterIPs"] = new JsonArray(wanted);
        spec["ipFamilies"] ??= new JsonArray("IPv4");
        spec["ipFamilyPolicy"] ??= "SingleStack";
    }

    /// <summary>Pods and services have IPv4 addresses here; who insists on another family is told, as a cluster of one family does.</summary>
    private void CheckFamilies(JsonObject spec, string name)
    {
        var families = (spec["ipFamilies"] as JsonArray ?? []).Select(family => family.Text() ?? "").ToList();
        if (families.FindIndex(family => family != "IPv4") is >= 0 and var other)
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid($"spec.ipFamilies[{other}]", families[other], "not configured on this cluster")]);
        }

        if (spec.Text("ipFamilyPolicy") is "RequireDualStack")
        {
            throw ApiException.Invalid(
                services, name, [FieldError.Invalid("spec.ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services")]);
        }
    }

    private void CheckAddress(string wanted, string name, HashSet<string?> used)
    {
        const string Field = "spec.clusterIPs";
        if (!IPAddress.TryParse(wanted, out var address))
        {
            throw ApiException.Invalid(
                services, name, [FieldError.Invalid("spec.clusterIPs[0]", wanted, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]);
        }

        if (!network.Contains(address))
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid(
                Field,
                new Verbatim($"[]string{{\"{wanted}\"}}"),
                $"failed to allocate IP {wanted}: the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {network}")]);
        }

        if (used.Contains(wanted))
        {
            throw ApiException.Invalid(services, name, [FieldError.Invalid(
                Field, new Verbatim($"[]string{{\"{wanted}\"}}"), $"failed to allocate IP {wanted}: provided IP is already allocated")]);
        }
    }

    private string Free(HashSet<string?> used)
    {
        var size = 1 << (32 - network.PrefixLength);
        var first = BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
        var start = RandomNumberGenerator.GetInt32(ReservedAddresses, size - 1);
        var bytes = new byte[4];
        for (var i = 0; i < size; i++)
        {
            var offset = (start + i) % size;
            if (offset < ReservedAddresses || offset == size - 1)
            {
                continue;
            }

            BinaryPrimitives.WriteUInt32BigEndian(bytes, first + (uint)offset);
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

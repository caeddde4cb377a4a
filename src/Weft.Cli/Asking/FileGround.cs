// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Applying;
using Weft.Cli.Output;
using Weft.Compiler;
using Weft.Dialects.Reading;
using Weft.Model.Plan;
using Weft.Model.World;
using Weft.Wire.Plans;

namespace Weft.Cli.Asking;

/// <summary>The ground that files give: plans as they would be compiled if they were applied to an empty mesh.</summary>
internal static class FileGround
{
    private static readonly string[] _prefixes = ["pod/", "deploy/", "deployment/", "sts/", "statefulset/", "ds/", "daemonset/", "svc/", "service/"];

    public static Ground Open(IEnumerable<string> files, string from, string ns)
    {
        var parsed = ManifestFiles.Find(files).SelectMany(file => ManifestFiles.Read(file).Objects).ToList();
        var drawn = DrawnMesh.Of(parsed);
        var snapshot = drawn.State.Snapshot();
        var client = Find(snapshot.World, from, ns);
        if (!client.Meshed)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"'{client.Namespace}/{client.Name}' would have no proxy: nothing decides about its requests.",
                $"Label its namespace in the files:  istio-injection: enabled");
        }

        var broken = drawn.Objects.Where(o => !o.IsValid).Select(o => o.Origin.Where).ToList();
        return new Ground(
            $"{client.Name}.{client.Namespace}",
            client.Namespace,
            $"spiffe://{snapshot.World.Settings.TrustDomain}/ns/{client.Namespace}/sa/{client.ServiceAccount}",
            Compile(snapshot, client),
            [.. snapshot.World.Services.Select(s => Callee(s, snapshot.World))],
            address => Task.FromResult(snapshot.World.Workloads.FirstOrDefault(w => w.Meshed && address.StartsWith(w.Address + ":", StringComparison.Ordinal)) is { } server
                ? Compile(snapshot, server)
                : null))
        {
            Address = client.Address,
            Note = broken.Count == 0 ? null : $"Objects with errors take no part: {string.Join(", ", broken)}  (weft validate says why)",
        };
    }

    // Through the wire, as the proxy would get it: what does not survive the journey decides nothing there either.
    private static ProxyPlan Compile(MeshSnapshot snapshot, Workload workload)
    {
        var decoded = PlanDecoder.Decode(new PlanEncoder().Encode(PlanCompiler.Compile(snapshot, workload).Plan).All);
        return decoded.Plan ?? throw new CommandException(ExitCode.Failed, $"A proxy would refuse this plan: {decoded.Errors[0]}");
    }

    private static Callee Callee(Service service, MeshWorld world) => new(
        service.Host,
        (service.Addresses.Count > 0 ? service.Addresses[0] : null)
            ?? world.Endpoints.Where(e => e.ServiceHost == service.Host).SelectMany(e => e.Endpoints).FirstOrDefault()?.Address ?? "0.0.0.0",
        [.. service.Ports.Select(p => p.Port)]);

    internal static Workload Find(MeshWorld world, string from, string ns)
    {
        var name = _prefixes.FirstOrDefault(p => from.StartsWith(p, StringComparison.Ordinal)) is { } prefix ? from[prefix.Length..] : from;
        var found = world.Workloads.FirstOrDefault(w => w.Namespace == ns && (w.Name == name || w.Names.Workload == name || w.Name == $"{name}-1"))
            ?? world.Workloads.FirstOrDefault(w => name == $"{w.Name}.{w.Namespace}" || name == $"{w.Names.Workload}.{w.Namespace}" || $"{w.Name}.{w.Namespace}" == $"{name.Split('.')[0]}-1.{string.Join('.', name.Split('.').Skip(1))}");
        if (found is not null)
        {
            return found;
        }

        var elsewhere = world.Workloads.FirstOrDefault(w => w.Name == name || w.Name == $"{name}-1");
        var near = NearestName.Of(name, world.Workloads.Where(w => w.Namespace == ns).SelectMany(w => new[] { w.Name, w.Names.Workload }));
        throw new CommandException(
            ExitCode.Failed,
            $"The files have no pod and no workload '{from}' in namespace '{ns}'.",
            elsewhere is not null ? $"It is in another one: -n {elsewhere.Namespace}" : near is not null ? $"Did you mean '{near}'?" : "weft validate FILES lists what is wrong with them.");
    }
}

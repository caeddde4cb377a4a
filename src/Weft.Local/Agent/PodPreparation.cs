// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>Brings together what a pod's containers start with: command, variables, volumes, rights, control group.</summary>
internal sealed class PodPreparation(PodSpec pod, string folder, PodScene scene, ProxyFiles proxyFiles, PodEvents events)
{
    private readonly ContainerEnvironment _environment = new(scene.Client, scene.Options.BinFolder);

    public PodVolumes Volumes { get; } = new(
        pod,
        folder,
        new VolumeContent(scene.Client, new ContainerEnvironment(scene.Client, scene.Options.BinFolder), scene.Options.Time),
        scene.Client,
        scene.Options.Time);

    /// <summary>Says once what the pod asks for and nobody here enforces.</summary>
    public void Tell()
    {
        var notes = NotEnforced.Of(pod, scene);
        if (notes.Count > 0)
        {
            events.Normal("NotEnforced", $"Local pods do not enforce: {string.Join("; ", notes)}");
        }
    }

    /// <summary>Throws an exception with the kubelet's words when something is missing.</summary>
    /// <param name="others">The pod's containers at this moment; one of them may be the target of a container for debugging.</param>
    public async Task<ContainerStart> PrepareAsync(
        ContainerSpec container, PodSandbox sandbox, IReadOnlyList<ContainerSnapshot> others, CancellationToken ct)
    {
        var words = Find(container);
        var network = sandbox.Network!;
        var address = network.Address.ToString();
        var variables = await _environment.ResolveAsync(pod, container, address, ct);
        words = [.. words.Select(word => ContainerEnvironment.Expand(word, variables))];
        if (container.IsProxy)
        {
            if (!File.Exists(Path.Combine(scene.Options.BinFolder, "weft-proxy")))
            {
                throw new ConfigException(
                    $"The program 'weft-proxy' is not in '{scene.Options.BinFolder}' (WEFT_BIN). Build it: ./dev build");
            }

            words = [.. words, "--bootstrap", proxyFiles.BootstrapFile];
        }

        var rights = ContainerRights.Parse(pod, container, scene.HasManyUsers);
        var mounts = await Volumes.PrepareAsync(container, address, text => ContainerEnvironment.Expand(text, variables), ct);
        var message = MakeMessageFile(container);
        return new ContainerStart(container.Name, network, words, variables, rights, MakeGroup(container))
        {
            HostName = pod.HostName,
            PodFolder = folder,
            WorkingFolder = container.WorkingFolder,
            Mounts = VolumeMount.Beside(scene.Options.BinFolder, container.IsProxy || (container.MessagePath == NodeFolders.TerminationLog && !File.Exists(container.MessagePath))
                ? mounts
                : [.. mounts, new VolumeMount(message, container.MessagePath, ReadOnly: false)]),
            MessageFile = message,
            HasInput = container.HasInput,
            HasTerminal = container.HasTerminal,
            ProcessesOf = Target(container, others) is var target and not 0 ? target : sandbox.ProcessesOf,
            SharesNodeMemory = pod.SharesNodeMemory,
        };
    }

    private IReadOnlyList<string> Find(ContainerSpec container)
    {
        try
        {
            var words = ImageTable.Read(scene.Options.Home.Images).Find(container) ?? throw new MissingCommandException(
                $"No command of this machine is known for image '{container.Image}'. Give container '{container.Name}' a 'command', "
                + $"or add a line '{container.Image}: COMMAND' to {scene.Options.Home.Images}");
            var path = $"{scene.Options.BinFolder}:{Programs.SearchPath}";
            return container.Command.Count > 0 || ImageTable.Missing(container.Image, words, path) is not { } missing
                ? words
                : throw new MissingCommandException($"{missing} in {scene.Options.Home.Images}");
        }
        catch (FormatException e)
        {
            throw new MissingCommandException(e.Message);
        }
    }

    private static int Target(ContainerSpec container, IReadOnlyList<ContainerSnapshot> others) =>
        container.Source.Text("targetContainerName") is not { Length: > 0 } name ? 0
        : others.FirstOrDefault(c => c.Spec.Name == name) is not { ProcessId: var id } || id == 0
            ? throw new ConfigException($"unable to find target container \"{name}\": it is not running")
            : id;

    /// <summary>Empty at every start, and writable by whoever the container runs as.</summary>
    private string MakeMessageFile(ContainerSpec container)
    {
        var file = PodFiles.MessageFile(folder, container.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, []);
        File.SetUnixFileMode(file, (UnixFileMode)0b110_110_110);
        return file;
    }

    private ResourceGroup? MakeGroup(ContainerSpec container)
    {
        if (!scene.Groups.Exist)
        {
            return null;
        }

        var resources = container.Source["resources"];
        long? Amount(string kind, string name, int times) =>
            Quantity.Parse(resources.Find(kind, name)) is { } value ? (long)(value * times) : null;
        var cpu = Amount("limits", "cpu", 1000);
        var limits = new ResourceLimits(Amount("requests", "cpu", 1000) ?? cpu, cpu, Amount("limits", "memory", 1));
        return scene.Groups.Make($"{pod.Uid}-{container.Name}", limits);
    }
}

// SPDX-License-Identifier: Apache-2.0

using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>Waits until everything that a container needs is there, and says meanwhile what is missing.</summary>
/// <param name="prepare">Throws what is missing.</param>
/// <param name="wait">Told of each new reason to wait; true if it is new.</param>
internal sealed class ContainerWaiting(
    ContainerSpec spec, ContainerScene scene, Func<CancellationToken, Task<ContainerStart>> prepare, Func<ContainerState.Waiting, bool> wait)
{
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan _firstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMinutes(5);

    private TimeSpan _pause;
    private DateTimeOffset _nextPull = DateTimeOffset.MinValue;
    private bool _pulled;

    /// <param name="missing">Called each time that something is.</param>
    public async Task<ContainerStart> RunAsync(Action missing, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var start = await prepare(ct);
                if (!_pulled)
                {
                    scene.Events.Normal("Pulled", $"Container image \"{spec.Image}\" already present on machine");
                    _pulled = true;
                }

                return start;
            }
            catch (ConfigException e)
            {
                Wait("CreateContainerConfigError", e.Message, $"Error: {e.Message}");
            }
            catch (VolumeException e)
            {
                scene.Events.Warning("FailedMount", $"MountVolume.SetUp failed for volume \"{e.Volume}\" : {e.Message}");
                wait(new ContainerState.Waiting("ContainerCreating"));
            }
            catch (MissingCommandException e)
            {
                NoImage(e.Message);
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or TimeoutException or IOException or UnauthorizedAccessException)
            {
                Wait("CreateContainerError", e.Message, $"Error: {e.Message}");
            }

            missing();
            await Task.Delay(_look, scene.Time, ct);
        }
    }

    /// <summary>
    /// As with a registry that does not answer: the error when a pull was tried, the waiting until the next one. A command that is there meanwhile
    /// does not wait for that.
    /// </summary>
    private void NoImage(string why)
    {
        var now = scene.Time.GetUtcNow();
        if (now >= _nextPull)
        {
            _pause = _pause == TimeSpan.Zero ? _firstPause : _pause * 2 < _longestPause ? _pause * 2 : _longestPause;
            _nextPull = now + _pause;
            scene.Events.Normal("Pulling", $"Pulling image \"{spec.Image}\"");
            scene.Events.Warning("Failed", $"Failed to pull image \"{spec.Image}\": {why}");
            Wait("ErrImagePull", why, "Error: ErrImagePull");
        }
        else if (Wait("ImagePullBackOff", $"Back-off pulling image \"{spec.Image}\": {why}", "Error: ImagePullBackOff"))
        {
            scene.Events.Normal("BackOff", $"Back-off pulling image \"{spec.Image}\"");
        }
    }

    private bool Wait(string reason, string message, string told)
    {
        var isNew = wait(new ContainerState.Waiting(reason, message));
        if (isNew)
        {
            scene.Events.Warning("Failed", told);
        }

        return isNew;
    }
}

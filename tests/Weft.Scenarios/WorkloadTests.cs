// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>The workloads beside Deployments, as people run them with kubectl.</summary>
[Collection(RunningMesh.Name)]
public sealed class WorkloadTests(TestMesh mesh)
{
    [Fact]
    public async Task Jobs_run_to_their_end_and_cron_jobs_make_them()
    {
        var ns = "jobs";
        await ApplyAsync(ns, """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: count}
            spec:
              completions: 3
              parallelism: 2
              completionMode: Indexed
              template:
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: count, image: shell, command: [sh, -c, "echo index $JOB_COMPLETION_INDEX"]}
            ---
            apiVersion: batch/v1
            kind: Job
            metadata: {name: broken}
            spec:
              backoffLimit: 0
              template:
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: broken, image: shell, command: [sh, -c, "exit 3"]}
            ---
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: nightly}
            spec:
              schedule: "0 3 * * *"
              jobTemplate:
                spec:
                  template:
                    spec:
                      restartPolicy: OnFailure
                      containers:
                      - {name: report, image: shell, command: [echo, reported]}
            """);
        await RunAsync(ns, "wait", "--for=condition=complete", "job/count", "--timeout=60s");
        Assert.Equal("0-2 3", await RunAsync(ns, "get", "job", "count", "-o", "jsonpath={.status.completedIndexes} {.status.succeeded}"));
        Assert.Contains("index 1", await RunAsync(ns, "logs", "-l", "batch.kubernetes.io/job-completion-index=1"), StringComparison.Ordinal);
        await RunAsync(ns, "wait", "--for=condition=failed", "job/broken", "--timeout=60s");
        Assert.Equal("BackoffLimitExceeded", await RunAsync(ns, "get", "job", "broken", "-o", "jsonpath={.status.conditions[?(@.type=='Failed')].reason}"));

        Assert.Contains("created", await RunAsync(ns, "create", "job", "now", "--from=cronjob/nightly"), StringComparison.Ordinal);
        await RunAsync(ns, "wait", "--for=condition=complete", "job/now", "--timeout=60s");
        Assert.Contains("reported", await RunAsync(ns, "logs", "job/now"), StringComparison.Ordinal);
        Assert.Matches("Completed +job/count +Job completed", await RunAsync(ns, "get", "events"));
        await RunAsync(ns, "delete", "job", "count");
        Assert.DoesNotContain("count", await RunAsync(ns, "get", "pods"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sets_roll_out_are_undone_and_drain_asks_the_budget()
    {
        var ns = "sets";
        await ApplyAsync(ns, Set("one") + """
            ---
            apiVersion: apps/v1
            kind: DaemonSet
            metadata: {name: log}
            spec:
              selector: {matchLabels: {app: log}}
              template:
                metadata: {labels: {app: log}}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                  - {name: log, image: shell, command: [sleep, infinity]}
            ---
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: db}
            spec:
              maxUnavailable: 0
              selector: {matchLabels: {app: db}}
            """);
        await RunAsync(ns, "rollout", "status", "statefulset/db", "--timeout=60s");
        await RunAsync(ns, "rollout", "status", "daemonset/log", "--timeout=60s");
        Assert.Equal("db-0 db-1", await RunAsync(ns, "get", "pods", "-l", "app=db", "-o", "jsonpath={.items[*].metadata.name}"));

        await ApplyAsync(ns, Set("two"));
        await RunAsync(ns, "rollout", "status", "statefulset/db", "--timeout=60s");
        Assert.Equal("two", await RunAsync(ns, "get", "pod", "db-0", "-o", "jsonpath={.spec.containers[0].env[0].value}"));
        Assert.Contains("rolled back", await RunAsync(ns, "rollout", "undo", "statefulset/db"), StringComparison.Ordinal);
        await RunAsync(ns, "rollout", "status", "statefulset/db", "--timeout=60s");
        Assert.Equal("one", await RunAsync(ns, "get", "pod", "db-1", "-o", "jsonpath={.spec.containers[0].env[0].value}"));

        await RunAsync(ns, "wait", "--for=jsonpath={.status.currentHealthy}=2", "pdb/db", "--timeout=30s");
        try
        {
            var drained = await mesh.KubectlAsync(
                "drain", "weft", "--pod-selector=app=db", "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=3s");
            Assert.NotEqual(0, drained.ExitCode);
            Assert.Contains("Cannot evict pod as it would violate the pod's disruption budget.", drained.Error, StringComparison.Ordinal);
            Assert.Contains("SchedulingDisabled", await RunAsync(ns, "get", "nodes"), StringComparison.Ordinal);
        }
        finally
        {
            await mesh.KubectlAsync("uncordon", "weft");
        }

        Assert.DoesNotContain("SchedulingDisabled", await RunAsync(ns, "get", "nodes"), StringComparison.Ordinal);
        await RunAsync(ns, "delete", "namespace", ns);
    }

    private static string Set(string word) => $$$"""
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db}
        spec:
          serviceName: db
          replicas: 2
          selector: {matchLabels: {app: db}}
          template:
            metadata: {labels: {app: db}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: db, image: shell, command: [sleep, infinity], env: [{name: WORD, value: {{{word}}} }]}

        """;

    private async Task<string> RunAsync(string ns, params string[] arguments) =>
        (await mesh.KubectlAsync([.. arguments, "-n", ns])).Succeeded().TrimEnd();

    private async Task ApplyAsync(string ns, string yaml)
    {
        (await mesh.ApplyAsync(Manifests.Namespace(ns, injected: false))).Succeeded();
        (await Command.RunAsync(TestMesh.KubectlPath, ["apply", "-n", ns, "-f", "-"], mesh.Environment, yaml)).Succeeded();
    }
}

"""The Functions host of the local Azure: runs a folder with a `function_app.py` through Microsoft's own worker library.

Application code, bindings and SDKs are those of Azure; the host around them is this package. A stand-in: one instance,
loopback only, no scaling. Its durable task hub lives in memory, or with --engine in Azurite, worked by Microsoft's own
extension. docs/fidelity.md says what it does as the real one does, and where that is known from.

__main__           command line; ends the process
server             the listening socket, and what SIGTERM means
availability       what is answered while the app is not loaded yet
host               one function app, and everything that triggers it
site               what answers at the host's address: its own pages, the functions; whatever stands before it
settings           host.json, local.settings.json and the environment
logs               one line per record on stderr
stopping           waiting and trying again, until the host stops
worker             invocations, their time limit, and a new process for one that is lost
worker_process     Microsoft's azure_functions_runtime in a process of its own; worker_channel is between the two
messages           plain stand-ins for the gRPC messages between host and worker
http_server        connections; http_head reads a request's head, http_answer writes an answer, as Kestrel does
request_target     an address: the path for the router, the URL and query for the function (pure)
routes             which function a request is for, by the order of names; route_template, route_constraints (pure)
http_triggers      a request to a function; answers turns what it returned into an answer; http_limits
retries            retry policies
ncrontab           when a timer runs next (pure); timer_triggers runs it; timer_status is when it ran, in blobs
event_hub_trigger  the partitions of one hub; partition_reader reads one: batches and checkpoints in Azure's order
event_hub_source   the real Event Hubs SDK; events says what of an event the function sees
host_blobs         a container of what must outlive the host
checkpoints        where each partition's reader is, in blobs
partition_share    the readers of what this host holds; balancer takes its share of the partitions
ownership          which partition a host takes next (pure); ownership_blobs is who reads which, in blobs
durable            work items of the task hub to functions and back; task_hub is in memory, entity_states on disk
engine             Microsoft's own Durable Task extension in the place of task_hub; engine_door is its address
"""

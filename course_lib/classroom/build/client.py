"""nbclient's client, kept from sleeping through an answer."""

import zmq
from nbclient import NotebookClient

__all__ = ["Client"]


class Client(NotebookClient):
    """Executes notebooks with widgets without delay.

    nbclient answers an output widget by a blocking send on the socket on which it awaits the end of the cell. That send
    takes the signal of a message that came in meanwhile, so the event loop sleeps on, until the cell's time limit:
    measured, on 9 of 300 cells with a slider. Asking the socket for its state wakes it.
    """

    def handle_comm_msg(self, outs, msg, cell_index):
        super().handle_comm_msg(outs, msg, cell_index)
        self.kc.shell_channel.socket.get(zmq.EVENTS)

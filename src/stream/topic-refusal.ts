// A topic that cannot be written, for good: it is gone, access to it was taken away, or a record is too large for it. It names the
// topic, so that whoever writes to several can leave this one out.
import { AppError } from '../core/errors.js';

type AppErrorArguments = ConstructorParameters<typeof AppError>;

export class TopicRefusal extends AppError {
  readonly topic: string;

  constructor(topic: string, ...[code, message, options]: AppErrorArguments) {
    super(code, message, options);
    this.topic = topic;
  }
}
